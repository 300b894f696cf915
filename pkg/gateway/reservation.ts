/** Whether a request is paid for now, by what the ledger says, and the lines that say so. Pure: nothing is written here. */
import { sameJson } from "../api/same-json.ts";
import type { Bound, Bounds } from "./bound.ts";
import { decide } from "./budgets.ts";
import { type Grant, selects, wholeLimits } from "./grants.ts";
import type { AskedTurn, Granted, Payer, Reserved } from "./ledger-lines.ts";
import type { LedgerState } from "./ledger-state.ts";
import type { BudgetPolicy, LimitMet, SessionGrant } from "./money.ts";
import type { Price } from "./prices.ts";
import type { Moment } from "./time-keeper.ts";

/** Endings without a known cost, in a row, after which requests go one at a time until one settles. */
export const UNSETTLED_IN_ROW_MAX = 3;

export type Plan =
  | { is: "granted"; bound: Bound; grants: readonly Grant[]; atMs: number }
  /** Until others end, or a window does. */
  | { is: "wait"; grants: readonly Grant[] }
  /** Until one of the requests in flight has ended. */
  | { is: "wait for one to settle" }
  /** Until an upstream has said what time it is. */
  | { is: "wait for the clock" }
  | {
      is: "refused";
      reason: "BudgetExceeded" | "NoBudget" | "BoundViolated" | "ClockUnconfirmed";
      message: string;
      /** Those that have too little left. */
      budgets: readonly string[];
      /** What they had it of; absent where no limit is the reason. */
      limits?: readonly LimitMet[];
    }
  /** No clock was ever confirmed: the same request may go later. */
  | { is: "unconfirmed"; message: string };

export interface Asking {
  bounds: Bounds;
  session: SessionGrant;
  /** Those in force. */
  budgets: readonly BudgetPolicy[];
  moment: Moment;
  /** Requests reserved and not ended. */
  inFlight: number;
}

/** What to do with a request now, `state` being all that was spent and reserved before. */
export function plan(state: LedgerState, { bounds, session, budgets, moment, inFlight }: Asking): Plan {
  const [violated] = state.violated;
  if (violated !== undefined)
    return { is: "refused", reason: "BoundViolated", message: violation(violated), budgets: [] };
  if (state.unsettledInRow >= UNSETTLED_IN_ROW_MAX && inFlight > 0) return { is: "wait for one to settle" };
  const { ms: atMs, wallMs, trust } = moment;
  if (atMs === undefined) {
    return trust.is === "unconfirmed"
      ? { is: "unconfirmed", message: trust.message }
      : { is: "wait for the clock" };
  }
  const grants = wholeLimits(budgets, atMs, (...of) => state.newestWindow(...of)).filter(({ selector }) =>
    selects(selector, session.labels),
  );
  const isOver = grants.some(({ window }) => wallMs >= window.endMs);
  // The answer to come may open the next window: until then nothing is spent of the one that is over.
  if (isOver && trust.is === "asking") return { is: "wait for the clock" };
  const positions = grants.map((grant) => ({ grant, position: positionOf(grant, state) }));
  const decision = decide(bounds, positions, atMs);
  if (decision.is === "granted") return { is: "granted", bound: decision.bound, grants, atMs };
  if (decision.is === "wait") return { is: "wait", grants };
  if (isOver && trust.is === "unconfirmed" && decision.reason === "BudgetExceeded") {
    const message = `${trust.message} The next window opens when one does. Until then: ${decision.message}`;
    return { is: "refused", reason: "ClockUnconfirmed", message, budgets: decision.budgets };
  }
  return decision;
}

/**
 * The lines that reserve what `planned` grants, the last of them the reservation. The ledger names each grant that money
 * was reserved under, as it was then.
 */
export function reservationSteps(
  state: LedgerState,
  planned: Extract<Plan, { is: "granted" }>,
  {
    id,
    session,
    model,
    price,
    asked,
  }: { id: string; session: SessionGrant; model: string; price: Price; asked?: AskedTurn | undefined },
): [...Granted[], Reserved] {
  const { bound, grants, atMs } = planned;
  const granted = grants.map((grant) => grantedStep(grant, atMs)).filter((step) => isNews(step, state));
  const reserved: Reserved = {
    step: "reserved",
    id,
    at: atMs,
    ...payerOf(session),
    ...(asked === undefined ? {} : { ...asked, ...state.repeated(session, asked) }),
    grants: grants.map((grant) => grant.id),
    model,
    maxTokens: bound.outputTokens,
    inputTokens: bound.inputTokens,
    cost: bound.cost,
    tokens: bound.tokens,
    price,
  };
  return [...granted, reserved];
}

function positionOf(
  { selector, window: { startMs, endMs } }: Grant,
  state: LedgerState,
): ReturnType<LedgerState["sums"]> {
  return state.sums({ selector, startMs, endMs });
}

function grantedStep({ id, holder, budget, uid, selector, window, ...limits }: Grant, atMs: number): Granted {
  return {
    step: "granted",
    at: atMs,
    grant: id,
    holder,
    budget,
    uid,
    period: window.period,
    window: window.name,
    startMs: window.startMs,
    endMs: window.endMs,
    selector,
    limitCost: limits.limitCost ?? null,
    limitTokens: limits.limitTokens ?? null,
  };
}

function isNews(step: Granted, state: LedgerState): boolean {
  const known = state.grant(step.grant);
  if (known === undefined) return true;
  const { at: _, ...said } = step;
  return Object.entries(said).some(([field, value]) => !sameJson(known[field as keyof Granted], value));
}

function payerOf({ session, run, agent, pool, project, purpose, labels }: SessionGrant): Payer {
  return { session, run, agent, pool, project, purpose, labels };
}

function violation(id: string): string {
  return (
    `BoundViolated: request ${id} used more than its bound, so no bound can be trusted. ` +
    `Look at it, then say what it cost: bosun budget settle ${id} --cost USD.`
  );
}
