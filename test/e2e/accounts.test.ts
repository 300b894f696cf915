import { expect, test } from "vitest";
import type { RequestRecord } from "../../pkg/rehearsal/request-log.ts";
import { discrepancies, intrusions, type LedgerRequest, repeats } from "./accounts.ts";

/** The check itself: what it takes for right, and that it finds each kind of wrong. */

const model = "claude-sonnet-5-5";

function counted(id: string, changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id,
    model,
    startMs: 100,
    turn: 0,
    scenario: "s",
    step: "s",
    status: 200,
    ended: "Complete",
    usage: { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 },
    costNanoUSD: 500,
    ...changes,
  };
}

function inLedger(upstreamId: string | undefined, changes: Partial<LedgerRequest> = {}): LedgerRequest {
  const steps = ["reserved", "sent", "settled"];
  const of = { work: "execute of x", session: "s", model };
  const request = { ...of, id: `own-${upstreamId}`, steps, sentMs: 90, endMs: 200, cost: 500, ...changes };
  return upstreamId === undefined ? request : { ...request, upstreamId };
}

const unsettled = ["reserved", "sent", "unsettled"];

test.each<[string, RequestRecord[], LedgerRequest[]]>([
  ["equal where both ended", [counted("a")], [inLedger("a")]],
  ["more where it is unsettled", [counted("a")], [inLedger("a", { steps: unsettled, cost: 900 })]],
  ["an upstream that died open", [counted("a", { ended: "Open", costNanoUSD: 0 })], [inLedger("a")]],
  ["a request that never left", [], [inLedger(undefined, { steps: ["reserved", "released"], cost: 0 })]],
  ["one that was cut before its name came", [counted("a")], [inLedger(undefined, { steps: unsettled })]],
])("%s is no discrepancy", (_name, upstream, ledger) => {
  expect(discrepancies({ upstream, ledger })).toEqual([]);
});

const nameless = (sentMs: number, endMs: number): LedgerRequest =>
  inLedger(undefined, { id: `${sentMs}`, steps: unsettled, sentMs, endMs });

test("requests that were cut before their names came are told apart by their times", () => {
  const upstream = [counted("late", { startMs: 300 }), counted("early", { startMs: 150 })];
  expect(discrepancies({ upstream, ledger: [nameless(100, 400), nameless(120, 200)] })).toEqual([]);
  expect(discrepancies({ upstream, ledger: [nameless(100, 200), nameless(120, 200)] })).toHaveLength(1);
});

test.each<[string, RequestRecord[], LedgerRequest[], RegExp]>([
  ["missing from the ledger", [counted("a")], [], /a .* is not in the ledger/],
  ["settled at another cost", [counted("a")], [inLedger("a", { cost: 501 })], /cost 500, .* 501/],
  ["unsettled for less", [counted("a")], [inLedger("a", { steps: unsettled, cost: 499 })], /cost 500/],
  ["in the ledger twice", [counted("a")], [inLedger("a"), inLedger("a")], /more than once/],
  ["in the ledger alone", [], [inLedger("a")], /never counted a/],
  ["settled twice", [counted("a")], [inLedger("a", { steps: [...unsettled, "settled"] })], /went reserved/],
  ["never ended", [counted("a")], [inLedger("a", { steps: ["reserved", "sent"] })], /went reserved, sent/],
])("a request %s is a discrepancy", (_name, upstream, ledger, says) => {
  expect(discrepancies({ upstream, ledger }).join("\n")).toMatch(says);
});

test("a session may take work over, and the one before must not come back to it", () => {
  const by = (...sessions: string[]): LedgerRequest[] =>
    sessions.map((session) => inLedger(session, { session }));
  expect(intrusions({ ledger: by("a", "a", "b", "b", "c") })).toEqual([]);
  expect(intrusions({ ledger: by("a", "b", "a") })).toHaveLength(1);
});

const turn = (id: string, changes: Partial<LedgerRequest>): LedgerRequest =>
  inLedger(undefined, { id, turn: 1, host: "a", ...changes });

test.each<[string, LedgerRequest[]]>([
  ["turns one after the other", [turn("1", {}), turn("2", { turn: 2 })]],
  ["a turn paid again by the next host", [turn("1", {}), turn("2", { host: "b", resume: "1" })]],
  ["a turn paid again after a lost answer", [turn("1", {}), turn("2", { again: "1" })]],
  ["a turn asked again that had cost nothing", [turn("1", { cost: 0 }), turn("2", { host: "b" })]],
])("%s is as it must be", (_name, ledger) => {
  expect(repeats({ ledger })).toEqual([]);
});

test.each<[string, LedgerRequest[], RegExp]>([
  ["without a turn", [inLedger("1")], /does not say which turn/],
  ["paid again without a word", [turn("1", {}), turn("2", { host: "b" })], /again and does not say so/],
  ["that repeats what never was", [turn("2", { resume: "1" })], /repeats 1, which did not ask/],
  ["with the wrong reason", [turn("1", {}), turn("2", { host: "b", again: "1" })], /the wrong reason/],
  [
    "resumed by a host that was past that",
    [
      turn("1", {}),
      turn("2", { turn: 2 }),
      turn("3", { host: "b", resume: "1" }),
      turn("4", { turn: 2, host: "b", resume: "2" }),
    ],
    /Host b resumes turn 2 of s after turn 1/,
  ],
])("a request %s is told", (_name, ledger, says) => {
  expect(repeats({ ledger }).join("\n")).toMatch(says);
});
