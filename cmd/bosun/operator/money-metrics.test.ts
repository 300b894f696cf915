import { expect, test } from "vitest";
import type { Budget, Workspace } from "../../../pkg/api/generated.ts";
import { Metrics } from "../../../pkg/runtime/metrics.ts";
import { addMoneyMetrics } from "./money-metrics.ts";

const budget = {
  apiVersion: "bosun.dev/v1alpha1",
  kind: "Budget",
  metadata: { name: "default" },
  spec: { daily: { usd: 5, tokens: 1000 }, timeZone: "UTC", alertPercents: [50, 75, 90] },
  status: {
    daily: { window: "2026-11-23", spentUSD: 3.9, reservedUSD: 0.2, spentTokens: 600, reservedTokens: 0 },
    monthly: { window: "2026-11", spentUSD: 40 },
    alerts: [
      { window: "2026-11-22", percent: 90 },
      { window: "2026-11-23", percent: 50 },
      { window: "2026-11-23", percent: 75 },
    ],
  },
} as Budget;
const workspace = {
  status: { usageLimits: [{ untilTime: "2026-11-23T14:00:00Z" }] },
} as unknown as Workspace;

test("the figures have each limit that a Budget sets, its newest alert, and until when the account is used up", () => {
  const metrics = new Metrics();
  addMoneyMetrics(metrics, () => ({ budgets: [budget], workspace }));
  const lines = metrics
    .render()
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(lines).toEqual([
    'bosun_budget_limit{budget="default",period="daily",unit="usd"} 5',
    'bosun_budget_limit{budget="default",period="daily",unit="tokens"} 1000',
    'bosun_budget_spent{budget="default",period="daily",unit="usd"} 3.9',
    'bosun_budget_spent{budget="default",period="daily",unit="tokens"} 600',
    'bosun_budget_reserved{budget="default",period="daily",unit="usd"} 0.2',
    'bosun_budget_reserved{budget="default",period="daily",unit="tokens"} 0',
    'bosun_budget_alert_percent{budget="default",period="daily"} 75',
    `bosun_usage_limited_until_seconds{model=""} ${Date.parse("2026-11-23T14:00:00Z") / 1000}`,
  ]);
});
