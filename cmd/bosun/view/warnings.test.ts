import { expect, test } from "vitest";
import type { Budget } from "../../../pkg/api/generated.ts";
import type { Objects } from "./objects.ts";
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
