import { expect, test } from "vitest";
import { getCondition, isTrue, removeCondition, setCondition, summarize } from "./conditions.ts";

const at = (now: string, generation = 1) => ({ now, generation });
const noon = "2026-01-01T12:00:00Z";
const later = "2026-01-01T13:00:00Z";
const ready = (status: "True" | "False", message = "All is well.") =>
  ({ type: "Ready", status, reason: "Complete", message }) as const;

test("lastTransitionTime moves with the status and with nothing else", () => {
  const first = setCondition(undefined, ready("True"), at(noon));
  const second = setCondition(first, ready("True", "Still well."), at(later, 2));
  expect(getCondition(second, "Ready")).toEqual({
    ...ready("True", "Still well."),
    lastTransitionTime: noon,
    observedGeneration: 2,
  });
  const third = setCondition(second, ready("False"), at(later, 2));
  expect(getCondition(third, "Ready")?.lastTransitionTime).toBe(later);
  expect(isTrue(third, "Ready")).toBe(false);
  expect(isTrue(first, "Ready")).toBe(true);
});

test("saying the same again gives the very same array, and no call changes its input", () => {
  const first = Object.freeze(setCondition(undefined, ready("True"), at(noon)));
  expect(setCondition(first, ready("True"), at(later))).toBe(first);
  expect(removeCondition(first, "Stalled")).toBe(first);
});

test("conditions stay in one order, whoever writes first", () => {
  const checked = { ...ready("True"), type: "ChecksPassed" };
  const one = setCondition(setCondition([], ready("True"), at(noon)), checked, at(noon));
  const other = setCondition(setCondition([], checked, at(noon)), ready("True"), at(noon));
  expect(one).toEqual(other);
});

test("a message is cut to 1024 characters without halving one", () => {
  const [condition] = setCondition([], ready("False", "😀".repeat(2000)), at(noon));
  expect([...(condition?.message ?? "")]).toHaveLength(1024);
  expect(condition?.message.isWellFormed()).toBe(true);
});

test("Stalled is there only while the outcome is stalled, with the summary's reason", () => {
  const outcome = { reason: "NoTestCommand", message: "`test` must not be empty." } as const;
  const stalled = summarize([], "Ready", { is: "stalled", ...outcome }, at(noon));
  expect(stalled.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ["Ready", "False", "NoTestCommand"],
    ["Stalled", "True", "NoTestCommand"],
  ]);
  const working = summarize(stalled, "Ready", { is: "working", ...outcome }, at(later));
  expect(working.map(({ type, status }) => [type, status])).toEqual([["Ready", "Unknown"]]);
});
