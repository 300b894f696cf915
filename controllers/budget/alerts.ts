/** Which shares of a limit were passed, and which of them people are told of: each once in its window. Pure. */
import type { Budget, BudgetAlert } from "../../pkg/api/generated.ts";
import { NANO_PER_USD, type WindowAccount, type WindowLimit } from "../../pkg/gateway/money.ts";

/** A window with the limit that holds in it. */
export interface Limited {
  account: WindowAccount;
  limit: WindowLimit | undefined;
}

export interface Alerts {
  /** What the status is to have: each threshold that was passed in its window, once. */
  all: BudgetAlert[];
  /** Of those, the ones to tell people of now. */
  told: readonly BudgetAlert[];
}

/**
 * The alerts of a Budget whose windows stand so, after those in its status.
 *
 * Every threshold that the spending has passed is recorded, once for a window, whatever becomes of limits and
 * thresholds later. When several were passed since the last look, or thresholds were lowered beneath what was told,
 * people are told of the highest alone, and only when it is higher than any before: that half is spent is no news
 * to who knows that it is nine tenths.
 *
 * @param windows - the running ones, and any that ended since the last look
 * @param time - of this look, as a timestamp
 */
export function alertsOf(budget: Budget, windows: readonly Limited[], time: string): Alerts {
  const known = budget.status?.alerts ?? [];
  const found = windows.map(({ account, limit }) => {
    const { window } = account;
    const before = known.filter((alert) => alert.window === window);
    const highest = Math.max(0, ...before.map(({ percent }) => percent));
    const passed = budget.spec.alertPercents
      .filter((percent) => hasPassed(account, limit, percent))
      .filter((percent) => !before.some((alert) => alert.percent === percent))
      .sort((a, b) => a - b)
      .map((percent) => ({ window, percent, time }));
    // Thresholds that are no longer wanted are forgotten but for the highest: what it told stays told.
    const kept = before.filter(
      ({ percent }) => percent === highest || budget.spec.alertPercents.includes(percent),
    );
    return { all: [...kept, ...passed], told: passed.slice(-1).filter(({ percent }) => percent > highest) };
  });
  return { all: found.flatMap(({ all }) => all), told: found.flatMap(({ told }) => told) };
}

/** What people read of an alert. */
export function alertMessage({ percent, window }: BudgetAlert): string {
  return `${percent} % of the limit for ${window} are spent.`;
}

function hasPassed(
  { spent, spentTokens }: WindowAccount,
  limit: WindowLimit | undefined,
  percent: number,
): boolean {
  return (
    (limit?.usd !== undefined && spent * 100 >= percent * limit.usd * NANO_PER_USD) ||
    (limit?.tokens !== undefined && spentTokens * 100 >= percent * limit.tokens)
  );
}
