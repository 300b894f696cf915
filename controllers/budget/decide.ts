/** What an account amounts to: the status' numbers, alerts once each per window, and whether it is used up. Pure. */
import type { NewCondition } from "../../pkg/api/conditions.ts";
import { dollars } from "../../pkg/api/dollars.ts";
import type { Budget, BudgetSpec, BudgetStatusDaily } from "../../pkg/api/generated.ts";
import { isZone } from "../../pkg/encoding/zone-offset.ts";
import {
  type BudgetAccount,
  NANO_PER_USD,
  type WindowAccount,
  type WindowLimit,
} from "../../pkg/gateway/money.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";

/** A window as status shows it, USD rounded to a ten-thousandth. */
export function windowStatus(account: WindowAccount, limit: WindowLimit | undefined): BudgetStatusDaily {
  const { spent, reserved, spentTokens, reservedTokens } = account;
  const left =
    limit?.usd === undefined ? undefined : Math.max(0, limit.usd * NANO_PER_USD - spent - reserved);
  const leftTokens =
    limit?.tokens === undefined ? undefined : Math.max(0, limit.tokens - spentTokens - reservedTokens);
  return {
    window: account.window,
    spentUSD: usd(spent),
    reservedUSD: usd(reserved),
    ...(left === undefined ? {} : { remainingUSD: usd(left) }),
    spentTokens,
    reservedTokens,
    ...(leftTokens === undefined ? {} : { remainingTokens: leftTokens }),
    requests: account.requests,
    unsettled: account.unsettled,
    endTime: timestamp(account.endMs),
  };
}

/** Numbers that moved less than this share of a limit are told later. */
const newsShare = 0.01;
/** But not later than this after what was told last, in milliseconds. */
export const tellAtLeastEveryMs = 600_000;

/**
 * Whether the numbers are worth a write, which wakes every watcher: another window or limit, a hundredth of a limit, or
 * ten minutes. The ledger and the gateway have them exactly.
 */
export function isNews(
  { spec, status }: Budget,
  { daily, monthly }: Record<"daily" | "monthly", BudgetStatusDaily>,
  ageMs: number,
): boolean {
  return (
    ageMs >= tellAtLeastEveryMs ||
    hasMoved(status?.daily, daily, spec.daily) ||
    hasMoved(status?.monthly, monthly, spec.monthly)
  );
}

function hasMoved(
  before: BudgetStatusDaily | undefined,
  now: BudgetStatusDaily,
  limit: WindowLimit | undefined,
): boolean {
  if (before === undefined || before.window !== now.window) return true;
  const moved = (a = 0, b = 0, of = 0): boolean => Math.abs(a - b) > of * newsShare;
  return (
    // A limit that is set or taken away is told also where nothing is left of it.
    (before.remainingUSD === undefined) !== (now.remainingUSD === undefined) ||
    (before.remainingTokens === undefined) !== (now.remainingTokens === undefined) ||
    moved(before.remainingUSD, now.remainingUSD, limit?.usd) ||
    moved(before.remainingTokens, now.remainingTokens, limit?.tokens) ||
    // Beneath what is spent the rest stays at nothing, whatever else moves.
    (limit?.usd !== undefined && moved(usedUSD(before), usedUSD(now), limit.usd)) ||
    (limit?.tokens !== undefined && moved(usedTokens(before), usedTokens(now), limit.tokens))
  );
}

function usedUSD({ spentUSD = 0, reservedUSD = 0 }: BudgetStatusDaily): number {
  return spentUSD + reservedUSD;
}

function usedTokens({ spentTokens = 0, reservedTokens = 0 }: BudgetStatusDaily): number {
  return spentTokens + reservedTokens;
}

/** In force as it is declared, unless its zone is none or the gateway can't tell which window it is in. */
export function ready({ timeZone }: Pick<BudgetSpec, "timeZone">, { clock }: BudgetAccount): NewCondition {
  const type = "Ready";
  if (!isZone(timeZone)) {
    const message = `timeZone must be an IANA name, such as Europe/Berlin, not "${timeZone}". Until it is, days and months begin in UTC.`;
    return { type, status: "False", reason: "UnknownTimeZone", message };
  }
  if (clock !== undefined) return { type, status: "Unknown", reason: "ClockUnconfirmed", message: clock };
  return { type, status: "True", reason: "InForce", message: "The gateway keeps it." };
}

/**
 * Used up: what is left is nothing, or did not suffice for a request. Then nothing is claimed until the window turns or
 * a person raises the limit.
 */
export function exceeded(budget: Budget, account: BudgetAccount, refused: boolean): NewCondition {
  const type = "Exceeded";
  if (account.boundViolated)
    return {
      type,
      status: "True",
      reason: "BoundViolated",
      message:
        `Request ${account.violatedRequest ?? "ID"} used more than its bound, so no bound can be trusted and nothing more is granted. ` +
        `Look at it, then say what it cost: bosun budget settle ${account.violatedRequest ?? "ID"} --cost USD.`,
    };
  const full = limitedWindows(budget, account).filter(([window, limit]) => usedShare(window, limit) >= 1);
  if (full.length > 0)
    return {
      type,
      status: "True",
      reason: "LimitReached",
      // A new day doesn't open it while the month is used up too.
      message: `${sumsOf(full)}; it opens again at ${timestamp(Math.max(...full.map(([{ endMs }]) => endMs)))}.`,
    };
  if (refused)
    return {
      type,
      status: "True",
      reason: "TooLittleLeft",
      message: `What is left does not suffice for a request (${sumsOf(limitedWindows(budget, account))}); it opens again at ${timestamp(tighter(budget, account).endMs)}, or raise the limit.`,
    };
  return { type, status: "False", reason: "WithinLimits", message: "Requests are granted." };
}

/** Of day and month the one that has less left, of what both limit: the one to wait for. */
function tighter({ spec }: Budget, { daily, monthly }: BudgetAccount): WindowAccount {
  if (spec.daily === undefined || spec.monthly === undefined)
    return spec.daily === undefined ? monthly : daily;
  const left = (limit = Number.NaN, spent: number, unit: number): number => limit * unit - spent;
  const isMonthly =
    left(spec.monthly.usd, monthly.spent, NANO_PER_USD) < left(spec.daily.usd, daily.spent, NANO_PER_USD) ||
    left(spec.monthly.tokens, monthly.spentTokens, 1) < left(spec.daily.tokens, daily.spentTokens, 1);
  return isMonthly ? monthly : daily;
}

/** A window with the limit that is set for it. */
type LimitedWindow = readonly [WindowAccount, WindowLimit];

function limitedWindows({ spec }: Budget, { daily, monthly }: BudgetAccount): readonly LimitedWindow[] {
  return [
    ...(spec.daily === undefined ? [] : [[daily, spec.daily] as const]),
    ...(spec.monthly === undefined ? [] : [[monthly, spec.monthly] as const]),
  ];
}

function sumsOf(windows: readonly LimitedWindow[]): string {
  return windows.map(([account, limit]) => spentOf(account, limit)).join("; ");
}

/** `$0.12 of $0.14 are spent for 2026-11-23`; tokens where they are limited. */
function spentOf({ window, spent, spentTokens }: WindowAccount, limit: WindowLimit): string {
  const money =
    limit.usd === undefined ? [] : [`$${dollars(spent / NANO_PER_USD)} of $${dollars(limit.usd)}`];
  const tokens = limit.tokens === undefined ? [] : [`${spentTokens} of ${limit.tokens} tokens`];
  return `${[...money, ...tokens].join(" and ")} are spent for ${window}`;
}

/** Spent of the limit, of money or tokens, whichever is more. */
function usedShare({ spent, spentTokens }: WindowAccount, limit: WindowLimit): number {
  const money = limit.usd === undefined ? 0 : share(spent, limit.usd * NANO_PER_USD);
  const tokens = limit.tokens === undefined ? 0 : share(spentTokens, limit.tokens);
  return Math.max(money, tokens);
}

const share = (spent: number, limit: number): number => (limit === 0 ? 1 : spent / limit);
const usd = (nano: number): number => Math.round((nano / NANO_PER_USD) * 10_000) / 10_000;
