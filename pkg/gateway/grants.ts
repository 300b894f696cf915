/**
 * Grants: amounts handed to a gateway, under which it reserves. On a single machine one grant holds the whole limit of
 * each window; with several hosts each gateway has a share, and the shares of a window add up to no more than its limit.
 */
import type { BudgetPolicy, NanoUSD, WindowLimit } from "./money.ts";
import { nanoOf } from "./money.ts";
import { type Period, type Window, windowAt } from "./windows.ts";

/** Who holds the grants of a single machine. */
const LOCAL = "local";

export interface Grant {
  /** Unique by Budget, window and holder: `<uid>/2026-11-23@local`. */
  id: string;
  holder: string;
  budget: string;
  uid: string;
  selector: Readonly<Record<string, string>>;
  timeZone: string;
  window: Window;
  /** The most that may be spent and reserved in the window; undefined: not limited in that unit. */
  limitCost: NanoUSD | undefined;
  limitTokens: number | undefined;
}

/**
 * The window of `budget` that a reservation at `atMs` belongs to. Windows follow each other and never come again:
 *
 * - One that was opened stays until it is over, also when the Budget has another time zone by then: else a change of
 *   zone would open the next day early.
 * - The next is the one of the zone then in force. Where it began before the last one ended, what was spent since its
 *   beginning counts in both.
 * - Where it has the last one's name, in a zone further west, the last one goes on until that is over too.
 *
 * @param atMs - a moment that never goes back
 * @param newest - the last window of the Budget and period that was opened; undefined: none was
 */
export function windowOf(
  budget: BudgetPolicy,
  period: Period,
  { atMs, newest }: { atMs: number; newest: Window | undefined },
): Window {
  if (newest !== undefined && atMs < newest.endMs) return newest;
  const next = windowAt(period, atMs, budget.timeZone);
  return newest !== undefined && next.name <= newest.name ? { ...newest, endMs: next.endMs } : next;
}

/**
 * The grants that hold at `atMs` on a single machine: for each limited window the whole limit.
 *
 * @param newestOf - the last window of a Budget that was opened
 */
export function wholeLimits(
  budgets: readonly BudgetPolicy[],
  atMs: number,
  newestOf: (budget: BudgetPolicy, period: Period) => Window | undefined,
): Grant[] {
  return budgets.flatMap((budget) =>
    (["daily", "monthly"] as const).flatMap((period) => {
      const limit = budget[period];
      if (limit === undefined || (limit.usd === undefined && limit.tokens === undefined)) return [];
      const window = windowOf(budget, period, { atMs, newest: newestOf(budget, period) });
      return [grantOf(budget, limit, window)];
    }),
  );
}

/** Whether a session with `labels` is paid under a grant with `selector`. */
export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

function grantOf(budget: BudgetPolicy, limit: WindowLimit, window: Window): Grant {
  return {
    id: `${budget.uid}/${window.name}@${LOCAL}`,
    holder: LOCAL,
    budget: budget.name,
    uid: budget.uid,
    selector: budget.selector,
    timeZone: budget.timeZone,
    window,
    limitCost: limit.usd === undefined ? undefined : nanoOf(limit.usd),
    limitTokens: limit.tokens,
  };
}
