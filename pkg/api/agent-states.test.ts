import { expect, test } from "vitest";
import { ANYWHERE, activityOf, isEdge, STATE_EDGES, stepTowards } from "./agent-states.ts";
import { AGENT_ACTIVITIES, AGENT_STATES } from "./generated.ts";

const edges = AGENT_STATES.flatMap((from) => STATE_EDGES[from].map((to) => [from, to] as const));

test.each(edges)("%s leads to %s in one step", (from, to) => {
  expect([isEdge(from, to), stepTowards(from, to)]).toEqual([true, to]);
});

test("from every state a way leads back to Idle, a step of the table at a time", () => {
  for (const from of AGENT_STATES) {
    let state = from;
    for (let steps = 0; state !== "Idle"; steps += 1) {
      expect(steps, `from ${from}`).toBeLessThan(AGENT_STATES.length);
      const next = stepTowards(state, "Idle");
      expect(isEdge(state, next), `${state} to ${next}`).toBe(true);
      state = next;
    }
  }
});

test("a status that lags behind a claim and a start passes through both", () => {
  expect(stepTowards("Idle", "Working")).toBe("ClaimProject");
  expect(stepTowards("ClaimProject", "AwaitingReview")).toBe("Working");
  expect(stepTowards("AwaitingReview", "Working")).toBe("Rejected");
});

test("Paused, Stopped and Failed are entered from anywhere and left to anywhere", () => {
  for (const state of ANYWHERE)
    for (const other of AGENT_STATES)
      expect([isEdge(other, state), isEdge(state, other)]).toEqual([true, true]);
});

test("every state has a word for people", () => {
  expect(AGENT_STATES.map(activityOf).every((word) => AGENT_ACTIVITIES.includes(word))).toBe(true);
});
