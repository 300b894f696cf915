import { expect, test } from "vitest";
import type { Budget, Escalation, Workspace } from "../../../pkg/api/generated.ts";
import { noticesOf } from "./notices.ts";

const time = "2026-11-23T12:00:00Z";
const condition = (type: string, status: string, message: string) => ({
  type,
  status,
  reason: "Because",
  message,
  lastTransitionTime: time,
});

function workspace(status: object): Workspace {
  return { kind: "Workspace", metadata: { name: "w" }, spec: {}, status } as unknown as Workspace;
}
function escalation(spec: object, metadata: object = {}): Escalation {
  return {
    kind: "Escalation",
    metadata: { name: "e", uid: "u1", ...metadata },
    spec,
  } as unknown as Escalation;
}
const budget = {
  kind: "Budget",
  metadata: { name: "all", uid: "u2" },
  status: { alerts: [{ window: "2026-11-23", percent: 75 }] },
} as unknown as Budget;

const red = { commit: "abc", result: "Failed" };
const failing = condition("BaselinePassing", "False", "The checks fail.");
const stuck = { reason: "Stuck", project: "greet", message: "Nothing moved." };

test.each([
  ["nothing is wrong", { workspace: workspace({}) }, {}],
  ["there is no Workspace", {}, {}],
  [
    "an emergency stop is in force",
    { workspace: workspace({ conditions: [condition("Stopped", "True", "Nothing runs.")] }) },
    {
      [`stop ${time}`]: {
        type: "EmergencyStop",
        object: { kind: "Workspace", name: "w" },
        message: "Nothing runs.",
      },
    },
  ],
  [
    "a stop is over",
    { workspace: workspace({ conditions: [condition("Stopped", "False", "Running.")] }) },
    {},
  ],
  [
    "the checks fail on the target",
    { workspace: workspace({ baseline: red, conditions: [failing] }) },
    {
      "baseline abc": {
        type: "BaselineFailing",
        object: { kind: "Workspace", name: "w" },
        message: "The checks fail.",
      },
    },
  ],
  [
    "the target's checks run again",
    {
      workspace: workspace({ baseline: red, conditions: [condition("BaselinePassing", "Unknown", "Run.")] }),
    },
    {},
  ],
  [
    "a person is asked",
    { escalations: [escalation(stuck)] },
    { "escalation u1": { type: "Escalation", object: { kind: "Escalation", name: "e" }, ...stuck } },
  ],
  [
    "a person has answered",
    { escalations: [escalation({ ...stuck, resolution: { action: "Continue" } })] },
    {},
  ],
  ["a question goes", { escalations: [escalation(stuck, { deletionTimestamp: time })] }, {}],
  [
    "a threshold was passed",
    { budgets: [budget] },
    {
      "budget u2 2026-11-23 75": {
        type: "BudgetAlert",
        object: { kind: "Budget", name: "all" },
        message: "75 % of what the Budget all allows for 2026-11-23 are spent.",
      },
    },
  ],
  [
    "three thresholds were passed at once, and a lower one was set since",
    {
      budgets: [
        {
          ...budget,
          status: {
            alerts: [
              ...[50, 75, 90].map((percent) => ({ window: "2026-11-23", percent, time })),
              { window: "2026-11-23", percent: 30, time: "2026-11-23T13:00:00Z" },
            ],
          },
        } as Budget,
      ],
    },
    { "budget u2 2026-11-23 90": expect.objectContaining({ type: "BudgetAlert" }) },
  ],
])("when %s, that is what is told", (_what, seen, want) => {
  const noticed = { workspace: undefined, escalations: [], budgets: [], ...seen };
  expect(Object.fromEntries(noticesOf(noticed))).toEqual(want);
});
