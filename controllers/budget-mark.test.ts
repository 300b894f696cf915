import { expect, test } from "vitest";
import type { BudgetSpec, BudgetStatus } from "../pkg/api/generated.ts";
import { budgetMark } from "./budget-mark.ts";
import { aBudget } from "./testing/objects.ts";

const window = { window: "2026-01-05", endTime: "2026-01-06T00:00:00Z" };
const before = aBudget({ daily: { usd: 10 } }, { daily: window as BudgetStatus["daily"], corrections: 1 });

test.each<{ what: string; spec?: Partial<BudgetSpec>; status?: Partial<BudgetStatus>; changes: boolean }>([
  {
    what: "a day that is over",
    status: { daily: { ...window, window: "2026-01-06" } as never },
    changes: true,
  },
  { what: "another limit in dollars", spec: { daily: { usd: 20 } }, changes: true },
  { what: "a limit in tokens", spec: { daily: { usd: 10, tokens: 5 } }, changes: true },
  { what: "a limit of the month in dollars", spec: { monthly: { usd: 20 } }, changes: true },
  { what: "a limit of the month in tokens", spec: { monthly: { tokens: 20 } }, changes: true },
  { what: "what a person said of a request's cost", status: { corrections: 2 }, changes: true },
  { what: "what was spent since", status: { daily: { ...window, spentUSD: 3 } as never }, changes: false },
  { what: "other thresholds of alerts", spec: { alertPercents: [80] }, changes: false },
])("what was refused under a Budget may be granted after $what: $changes", ({ spec, status, changes }) => {
  const now = { ...before, spec: { ...before.spec, ...spec }, status: { ...before.status, ...status } };
  expect(budgetMark(now) !== budgetMark(before)).toBe(changes);
});
