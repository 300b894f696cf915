import { expect, test } from "vitest";
import type { Budget } from "../../../pkg/api/generated.ts";
import type { Objects } from "./objects.ts";
import { standingTroubles } from "./standing.ts";
import { renderStatus } from "./status.ts";
import { warningsOf } from "./warnings.ts";

const budget = (limit: { usd?: number; tokens?: number }, status: object = {}): Budget =>
  ({
    metadata: { name: "default" },
    spec: { daily: limit },
    status: {
      daily: { window: "2026-11-26", spentUSD: 0.45, spentTokens: 100 },
      alerts: [50, 75, 90].map((percent) => ({ window: "2026-11-26", percent })),
      ...status,
    },
  }) as unknown as Budget;

const objects = (budgets: readonly Budget[]): Objects => ({
  ...{ workspaces: [], pools: [], agents: [], projects: [], reviews: [], escalations: [], budgets },
});

const line = "Warning: Budget default: 90 % of 2026-11-26 is spent";

test.each<[string, Budget, boolean]>([
  ["what is spent of the limit in force", budget({ usd: 0.5 }), true],
  ["what is spent and not told yet", budget({ usd: 0.504 }), true],
  ["tokens", budget({ tokens: 100 }), true],
  ["a limit of nothing", budget({ usd: 0 }), true],
  ["a window that is over", budget({ usd: 5 }, { daily: { window: "2026-11-27" } }), true],
  ["a limit that was raised since: 90 % were said to be spent", budget({ usd: 5 }), false],
])("an alert stands for %s", (_, one, stands) => {
  expect(renderStatus(objects([one]), 0, 100).includes(line)).toBe(stands);
  // It is kept either way, so that it does not come up again.
  expect(warningsOf(objects([one]))).toMatchObject([{ key: "default 2026-11-26 90" }]);
});

test("what stands is told again when it says something else, but for a number, and once more when it comes up again later", () => {
  const minutes = (count: number): number => count * 60_000;
  let nowMs = 0;
  const troubles = standingTroubles(() => nowMs);
  const told = (atMs: number, ...messages: readonly string[]): string[] => {
    nowMs = atMs;
    const agents = messages.map((message, at) => {
      const conditions = [{ type: "Ready", status: "False", reason: "UpstreamUnavailable", message }];
      return { metadata: { name: `agent-${at + 1}` }, spec: {}, status: { conditions } };
    });
    return troubles({ ...objects([]), agents } as unknown as Objects);
  };
  // As it comes up it is told as a change.
  expect(told(0, "529 overloaded (request 1)")).toEqual([]);
  expect(told(minutes(1), "529 overloaded (request 2)")).toEqual([]);
  const refused = "Warning: agent-1: UpstreamUnavailable: 401 key refused";
  expect(told(minutes(2), "401 key refused")).toEqual([refused]);
  expect(told(minutes(3), "529 overloaded (request 3)", "401 key refused")).toEqual([]);
  expect(told(minutes(10), "no connection")).toEqual([
    "Warning: agent-1: UpstreamUnavailable: no connection",
    "Warning, for 10m now: agent-1: UpstreamUnavailable: no connection",
  ]);
  expect(told(minutes(29), "no connection")).toEqual([]);
  expect(told(minutes(30), "no connection")).toHaveLength(1);
  expect(told(minutes(31))).toEqual([]);
  expect(told(minutes(32), "no connection")).toEqual([]);
  expect(told(minutes(41), "no connection")).toEqual([]);
  expect(told(minutes(42), "no connection")).toHaveLength(1);
});
