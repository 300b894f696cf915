import { expect, test } from "vitest";
import type { BudgetSpec, BudgetStatus } from "../pkg/api/generated.ts";
import type { LimitMet } from "../pkg/gateway/money.ts";
import { budgetMark, limitsHaveChanged } from "./budget-mark.ts";
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

const met: LimitMet = {
  budget: before.metadata.name,
  period: "daily",
  window: "2026-01-05",
  cost: 10_000_000_000,
};

test.each<{
  what: string;
  met: LimitMet[] | undefined;
  spec?: Partial<BudgetSpec>;
  gone?: true;
  changed: boolean;
}>([
  { what: "nothing else", met: [met], changed: false },
  { what: "a limit that was raised meanwhile", met: [{ ...met, cost: 10_000_000 }], changed: true },
  { what: "tokens that are no longer limited", met: [{ ...met, tokens: 5 }], changed: true },
  { what: "a window that turned meanwhile", met: [{ ...met, window: "2026-01-04" }], changed: true },
  {
    what: "a window that the status has not seen yet",
    met: [{ ...met, window: "2026-01-06" }],
    changed: false,
  },
  { what: "the other of two limits", met: [met], spec: { monthly: { usd: 3 } }, changed: false },
  {
    what: "a limit that was taken away",
    met: [met],
    spec: { daily: {}, monthly: { usd: 3 } },
    changed: true,
  },
  { what: "a Budget that is being deleted", met: [met], gone: true, changed: true },
  { what: "a Budget where there was none", met: [], changed: true },
  { what: "a Budget without a limit where there was none", met: [], spec: { daily: {} }, changed: false },
  { what: "limits that nobody named", met: undefined, changed: false },
])("a request meets others than refused it, by $what: $changed", ({ met, spec, gone, changed }) => {
  const deletion = gone === undefined ? {} : { deletionTimestamp: "2026-01-05T12:00:00Z" };
  const now = {
    ...before,
    metadata: { ...before.metadata, ...deletion },
    spec: { ...before.spec, ...spec },
  };
  expect(limitsHaveChanged(met, [now])).toBe(changed);
});
