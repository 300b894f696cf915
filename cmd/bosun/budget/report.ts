/** What the ledger says of each Budget's windows, and on what the money went. Pure, in whole nano-dollars. */
import { getCondition } from "../../../pkg/api/conditions.ts";
import type { Budget } from "../../../pkg/api/generated.ts";
import { policyOf, zoneOf } from "../../../pkg/gateway/budget-policy.ts";
import type { Charge } from "../../../pkg/gateway/folded-requests.ts";
import { selects, windowOf } from "../../../pkg/gateway/grants.ts";
import { isAgain, type LedgerState, type RequestRecord } from "../../../pkg/gateway/ledger-state.ts";
import { type NanoUSD, nanoOf } from "../../../pkg/gateway/money.ts";
import type { Period } from "../../../pkg/gateway/windows.ts";
import { type Burn, burnOf } from "./burn.ts";

export const KEYS = ["project", "agent", "model", "purpose"] as const;
export type Key = (typeof KEYS)[number];

/** A request, or what was charged for several. */
export type Entry = RequestRecord | Charge;

/** Sums over some requests. Those that were released cost nothing and are not counted. */
export interface Totals {
  requests: number;
  /** Charged: settled, or unsettled and charged with the most that it can have been. */
  spent: NanoUSD;
  spentTokens: number;
  /** Set aside for requests in flight. */
  reserved: NanoUSD;
  reservedTokens: number;
  /** Of the charged: requests whose usage was never seen. */
  unsettled: { requests: number; cost: NanoUSD };
  /** Of the charged: turns that were paid before, after a crash or an answer that did not arrive whole. */
  paidAgain: { requests: number; cost: NanoUSD };
}

export interface Group extends Totals {
  name: string;
}

export interface WindowReport extends Totals {
  period: Period;
  /** `2026-11-23`, or `2026-11`. */
  window: string;
  startMs: number;
  endMs: number;
  limit: { cost: NanoUSD | undefined; tokens: number | undefined };
  /** For new requests; undefined where not limited. Never below 0. */
  left: { cost: NanoUSD | undefined; tokens: number | undefined };
  burn: Burn;
  by: Readonly<Record<Key, readonly Group[]>>;
}

export interface BudgetReport {
  budget: string;
  timeZone: string;
  daily: WindowReport;
  monthly: WindowReport;
}

/**
 * The report of each Budget at `nowMs`, wall time. In each window every request stands in one group of each key, so the
 * groups of a key add up to the window, exactly.
 */
export function reportOf(
  state: LedgerState,
  budgets: readonly Budget[],
  nowMs: number,
): readonly BudgetReport[] {
  return budgets.map((budget) => {
    const atMs = countedAt(budget, state.newestMs, nowMs);
    return {
      budget: budget.metadata.name,
      timeZone: zoneOf(budget.spec),
      daily: windowReport(state, budget, "daily", atMs),
      monthly: windowReport(state, budget, "monthly", atMs),
    };
  });
}

/** What the Budget says of a clock that opens no window; undefined where there is no doubt. */
export function clockDoubt({ status }: Budget): string | undefined {
  const ready = getCondition(status?.conditions, "Ready");
  return ready?.reason === "ClockUnconfirmed" ? ready.message : undefined;
}

/** The moment that the gateway counts money at, as far as is known here. */
function countedAt(budget: Budget, newestMs: number | undefined, nowMs: number): number {
  if (newestMs === undefined) return nowMs;
  if (clockDoubt(budget) !== undefined) return newestMs;
  // A moment that was counted at never comes again, whatever this machine's clock says now.
  return Math.max(nowMs, newestMs);
}

function windowReport(state: LedgerState, budget: Budget, period: Period, atMs: number): WindowReport {
  const policy = policyOf(budget);
  const window = windowOf(policy, period, { atMs, newest: state.newestWindow(policy, period) });
  const { startMs, endMs } = window;
  const requests = [...state.charges(), ...state.requests()].filter(
    ({ at, payer, state: is }) =>
      startMs <= at && at < endMs && is !== "released" && selects(policy.selector, payer.labels),
  );
  const totals = totalsOf(requests);
  const wanted = budget.spec[period];
  const limit = {
    cost: wanted?.usd === undefined ? undefined : nanoOf(wanted.usd),
    tokens: wanted?.tokens,
  };
  const left = {
    cost: leftOf(limit.cost, totals.spent + totals.reserved),
    tokens: leftOf(limit.tokens, totals.spentTokens + totals.reservedTokens),
  };
  return {
    ...{ period, window: window.name, startMs, endMs, ...totals, limit, left },
    burn: burnOf(requests, { nowMs: atMs, startMs, endMs, left }),
    by: {
      project: grouped(requests, ({ payer }) => payer.project),
      agent: grouped(requests, ({ payer }) => payer.agent),
      model: grouped(requests, ({ model }) => model),
      purpose: grouped(requests, ({ payer }) => payer.purpose),
    },
  };
}

/** The dearest first. */
function grouped(requests: readonly Entry[], nameOf: (request: Entry) => string): readonly Group[] {
  return [...Map.groupBy(requests, nameOf)]
    .map(([name, members]) => ({ name, ...totalsOf(members) }))
    .sort((a, b) => b.spent - a.spent || (a.name < b.name ? -1 : 1));
}

function totalsOf(requests: readonly Entry[]): Totals {
  const totals: Totals = {
    ...{ requests: 0, spent: 0, spentTokens: 0, reserved: 0, reservedTokens: 0 },
    unsettled: { requests: 0, cost: 0 },
    paidAgain: { requests: 0, cost: 0 },
  };
  for (const entry of requests) {
    const { state, cost, tokens } = entry;
    const count = countOf(entry);
    totals.requests += count;
    if (state === "reserved" || state === "sent") {
      totals.reserved += cost;
      totals.reservedTokens += tokens;
      continue;
    }
    totals.spent += cost;
    totals.spentTokens += tokens;
    if (state === "unsettled") add(totals.unsettled, count, cost);
    if (wasPaidBefore(entry)) add(totals.paidAgain, count, cost);
  }
  return totals;
}

function countOf(entry: Entry): number {
  return "requests" in entry ? entry.requests : 1;
}

function wasPaidBefore(entry: Entry): boolean {
  return "isAgain" in entry ? entry.isAgain : isAgain(entry);
}

function add(to: { requests: number; cost: NanoUSD }, requests: number, cost: NanoUSD): void {
  to.requests += requests;
  to.cost += cost;
}

function leftOf(limit: number | undefined, used: number): number | undefined {
  return limit === undefined ? undefined : Math.max(0, limit - used);
}
