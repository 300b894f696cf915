/**
 * Grants: amounts handed to a gateway, under which it reserves. On a single machine one grant holds the whole limit of
 * each window; with several hosts each gateway has a share, and the shares of a window add up to no more than its limit.
 */
import type { BudgetPolicy, NanoUSD, WindowLimit } from "./money.ts";
import { NANO_PER_USD } from "./money.ts";
import { type Window, windowAt } from "./windows.ts";

/** Who holds the grants of a single machine. */
export const LOCAL = "local";

export interface Grant {
  /** Unique by Budget, window and holder: `<uid>/2026-11-23@local`. */
  id: string;
  holder: string;
  budget: string;
  selector: Readonly<Record<string, string>>;
  timeZone: string;
  window: Window;
  /** The most that may be spent and reserved in the window; undefined: not limited in that unit. */
  limitCost: NanoUSD | undefined;
  limitTokens: number | undefined;
}

/** The grants that hold at `nowMs` on a single machine: for each limited window the whole limit. */
export function wholeLimits(budgets: readonly BudgetPolicy[], nowMs: number): Grant[] {
  return budgets.flatMap((budget) =>
    (["daily", "monthly"] as const).flatMap((period) => {
      const limit = budget[period];
      if (limit === undefined || (limit.usd === undefined && limit.tokens === undefined)) return [];
      return [grantOf(budget, limit, windowAt(period, nowMs, budget.timeZone))];
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
    selector: budget.selector,
    timeZone: budget.timeZone,
    window,
    // Rounded down: a limit is never raised by arithmetic.
    limitCost: limit.usd === undefined ? undefined : Math.floor(limit.usd * NANO_PER_USD + 1e-6),
    limitTokens: limit.tokens,
  };
}
