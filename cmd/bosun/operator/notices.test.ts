import { expect, test } from "vitest";
import type { Agent, Budget, Escalation, Workspace } from "../../../pkg/api/generated.ts";
import { noticesOf, outagesOf } from "./notices.ts";

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

const violated = (name: string) =>
  ({
    kind: "Budget",
    metadata: { name, uid: name },
    status: { conditions: [{ ...condition("Exceeded", "True", "Settle r-7."), reason: "BoundViolated" }] },
  }) as unknown as Budget;
const unready = (kind: string, name: string, reason: string, lastTransitionTime = time) => ({
  kind,
  metadata: { name },
  status: { conditions: [{ ...condition("Ready", "False", "It fails."), reason, lastTransitionTime }] },
});

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
  [
    "a request has violated its bound, which all Budgets say",
    { budgets: [violated("one"), violated("other")] },
    {
      "bound Settle r-7.": {
        type: "BoundViolated",
        object: { kind: "Budget", name: expect.any(String) },
        message: "Settle r-7.",
      },
    },
  ],
  [
    "a Budget is spent, which opens again by itself",
    { budgets: [{ ...budget, status: { conditions: [condition("Exceeded", "True", "Spent.")] } } as Budget] },
    {},
  ],
])("when %s, that is what is told", (_what, seen, want) => {
  const noticed = { workspace: undefined, escalations: [], budgets: [], ...seen };
  expect(Object.fromEntries(noticesOf(noticed))).toEqual(want);
});

test("what is away is one outage, whoever meets it, since the first has met it; a stop is none", () => {
  const later = "2026-11-23T12:05:00Z";
  const agents = [
    unready("Agent", "agent-1", "UpstreamUnavailable", later),
    unready("Agent", "agent-2", "UpstreamUnavailable"),
    unready("Agent", "agent-3", "HeartbeatLate"),
  ] as unknown as Agent[];
  const budgets = [unready("Budget", "all", "GatewayUnreachable", later)] as unknown as Budget[];
  const outage = (type: string, kind: string, name: string, since: string) => ({
    sinceMs: Date.parse(since),
    notice: { type, object: { kind, name }, message: `${name}: It fails.` },
  });
  const running = workspace({ conditions: [condition("Stopped", "False", "Running.")] });
  expect(Object.fromEntries(outagesOf({ workspace: running, agents, budgets }))).toEqual({
    "outage upstream": outage("UpstreamUnavailable", "Agent", "agent-2", time),
    "outage gateway": outage("GatewayUnreachable", "Budget", "all", later),
  });
  const stopped = workspace({ conditions: [condition("Stopped", "True", "Nothing runs.")] });
  expect(outagesOf({ workspace: stopped, agents, budgets }).size).toBe(0);
});
