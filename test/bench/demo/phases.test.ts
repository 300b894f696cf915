import { expect, test } from "vitest";
import type { SessionSpec } from "../../../pkg/session/sessions.ts";
import type { StampedEntry } from "../../../pkg/session/transcript.ts";
import { keyOf } from "./milestones.ts";
import { phasesOf } from "./phases.ts";

const startMs = Date.parse("2026-11-26T00:00:00.000Z");

function entry(atMs: number, more: object): StampedEntry {
  return { at: new Date(startMs + atMs).toISOString(), ...more } as StampedEntry;
}

function session(purpose: "execute" | "review", run: number, entries: readonly StampedEntry[]) {
  const name = purpose === "execute" ? "p-1" : "p-1-2-abcdef0";
  return { spec: { purpose, run, project: "p-1", claim: { name } } as SessionSpec, entries };
}

test("each run's time goes to the phase it was spent in, summed, a rework's to that rework", () => {
  const author = session("execute", 2, [
    entry(100, { type: "message", run: 1, text: "" }),
    entry(130, { type: "assistant", content: [], stopReason: "tool_use", inputTokens: 1 }),
    entry(132, { type: "intended", call: "a", tool: "bash" }),
    entry(182, { type: "done", call: "a", content: "", isError: false }),
    entry(1000, { type: "message", run: 2, text: "" }),
    entry(1040, { type: "assistant", content: [], stopReason: "tool_use", inputTokens: 1 }),
  ]);
  const reviewer = session("review", 1, [
    entry(1500, { type: "message", run: 1, text: "" }),
    entry(1510, { type: "assistant", content: [], stopReason: "tool_use", inputTokens: 1 }),
  ]);
  const seen = new Map([
    [keyOf("p-1", 1, "claimed"), startMs],
    [keyOf("p-1", 1, "submitted"), startMs + 200],
    [keyOf("p-1", 1, "judged"), startMs + 700],
    [keyOf("p-1", 2, "claimed"), startMs + 705],
    [keyOf("p-1", 2, "reviewing"), startMs + 1300],
    [keyOf("p-1", 2, "judged"), startMs + 1517],
  ]);
  expect(Object.fromEntries(phasesOf([author, reviewer], seen))).toEqual({
    "turns: the gateway, the upstream, the SDK": { count: 3, ms: 80 },
    "the session writes down what it is about to do": { count: 1, ms: 2 },
    "tool calls": { count: 1, ms: 50 },
    "an author's session starts": { count: 2, ms: 395 },
    "work is handed over and collected": { count: 1, ms: 18 },
    "rework is asked for": { count: 1, ms: 5 },
    "a reviewer's session starts": { count: 1, ms: 200 },
    "verdict is recorded": { count: 1, ms: 7 },
  });
});
