/** The gateway as the operator sees it: Budgets and sessions go in, what the ledger says comes out. */
import type { Purpose } from "../session/sessions.ts";

/** Money in whole nano-dollars (1e-9 USD): prices of 0.01 USD per million tokens stay integers. */
export type NanoUSD = number;
export const NANO_PER_USD = 1_000_000_000;

/**
 * By these a session's host says which turn it asks for (from 1, over all runs of the session), and which host it is:
 * what is paid for again after a crash is told by them. The gateway keeps them to itself.
 */
export const TURN_HEADER = "x-bosun-turn";
export const HOST_HEADER = "x-bosun-host";

export interface WindowLimit {
  usd?: number;
  tokens?: number;
}

/** A limit of a Budget as a request met it. */
export interface LimitMet {
  budget: string;
  period: "daily" | "monthly";
  /** `2026-11-23` or `2026-11`. */
  window: string;
  /** Undefined: not limited in that unit. */
  cost?: NanoUSD;
  tokens?: number;
}

/** Rounded down: a limit is never raised by arithmetic. */
export function nanoOf(usd: number): NanoUSD {
  return Math.floor(usd * NANO_PER_USD + 1e-6);
}

/** A Budget as the gateway enforces it. */
export interface BudgetPolicy {
  name: string;
  uid: string;
  daily?: WindowLimit;
  monthly?: WindowLimit;
  /** IANA name. */
  timeZone: string;
  /** Labels that a session must carry to be paid from it; empty: all. */
  selector: Record<string, string>;
}

export interface SessionGrant {
  session: string;
  run: number;
  /** Tells hosts of one run apart: the token of an earlier one holds no longer. */
  attempt?: string;
  agent: string;
  pool: string;
  project: string;
  purpose: Purpose;
  /** Upper bound of `max_tokens`. */
  maxOutputTokens: number;
  /** Of the Agent: what Budgets select by. */
  labels: Record<string, string>;
}

/** Sums over the requests that one question is about. */
export interface Sums {
  spent: NanoUSD;
  reserved: NanoUSD;
  spentTokens: number;
  reservedTokens: number;
  requests: number;
  unsettled: number;
}

export interface WindowAccount extends Sums {
  /** `2026-11-23` or `2026-11`, in the Budget's time zone. */
  window: string;
  startMs: number;
  endMs: number;
}

export interface BudgetAccount {
  budget: string;
  daily: WindowAccount;
  monthly: WindowAccount;
  /** A usage exceeded its bound: nothing is granted until a person looks. */
  boundViolated: boolean;
  /** The first request that did; undefined: none, or not said. */
  violatedRequest?: string;
  /** How often a person has said what a request cost; undefined: never. More may be left since. */
  corrections?: number;
  /** Why this machine's clock is not believed, so that no window opens; undefined: it is. */
  clock?: string;
}

export interface CostQuery {
  project?: string;
  session?: string;
  agent?: string;
  purpose?: Purpose;
}

/** Settled, in both units that limits have. */
export interface Spent {
  cost: NanoUSD;
  /** Of all kinds, added. */
  tokens: number;
}

/** All accounts and some Projects' costs, of one moment. */
export interface MoneyStanding {
  /** Of the Budgets in force. */
  accounts: readonly BudgetAccount[];
  /** Of each Project that was asked about, all time, in the order asked. */
  spent: readonly Spent[];
}

/** The account has used up what its plan allows: nothing is asked of the model until then. */
export interface UsageLimit {
  /** As the price file names it; undefined: it holds for all models. */
  model?: string;
  /** When it ends by what the upstream said: wall time, ms. */
  untilMs: number;
  /** For how long from now nothing is asked, in milliseconds, whatever the wall clock does: then one request looks. */
  leftMs: number;
}

export interface Money {
  /** Puts the Budgets in force; until the first call nothing is granted. Repeated calls renew the lease. */
  setBudgets(budgets: readonly BudgetPolicy[]): Promise<void>;
  /** Lets a session spend and gives it its way in; the same answer for the same session, run and attempt. */
  admit(grant: SessionGrant): Promise<{ url: string; token: string }>;
  /** Revokes what `admit` gave. */
  dismiss(session: string): Promise<void>;
  /** What the ledger says now. Undefined when the gateway can't be asked: unknown, not zero. */
  account(budget: string): Promise<BudgetAccount | undefined>;
  /** The accounts of all Budgets in force, and what each of `projects` has spent: one question. Undefined: unknown. */
  standing(projects: readonly string[]): Promise<MoneyStanding | undefined>;
  /**
   * The account of `budget` in one of its earlier windows, `2026-11-22` or `2026-10`; zeros where nothing was ever
   * reserved in it. Undefined: unknown.
   */
  closedWindow(budget: string, window: string): Promise<WindowAccount | undefined>;
  /** Spent and settled, all time. Undefined: unknown. */
  cost(query: CostQuery): Promise<NanoUSD | undefined>;
  /** As `cost`, with the tokens that it stands for. */
  spent(query: CostQuery): Promise<Spent | undefined>;
  /** Why the last question had no answer, for people; undefined where it had one, or an emergency stop is why. */
  whyUnknown(): string | undefined;
  /** The usage limits in force now. Undefined: unknown. */
  usageLimits(): Promise<readonly UsageLimit[] | undefined>;
  /**
   * Calls `wake` when an account may have changed: within a second when another hundredth of a limit is spent, a
   * window has turned, or the gateway can't be asked any more or again; of other changes that follow each other sooner than `everyMs()` milliseconds only once in that
   * time, since every request makes one.
   */
  subscribe(wake: () => void, options: { everyMs: () => number; signal: AbortSignal }): void;
}
