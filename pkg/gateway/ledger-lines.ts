/** The lines of the ledger: one JSON object a line, one line a step. */
import type { Purpose } from "../session/sessions.ts";
import type { Basis } from "./basis.ts";
import type { NanoUSD } from "./money.ts";
import type { Price } from "./prices.ts";
import type { Usage } from "./usage.ts";
import type { Period } from "./windows.ts";

/** Who spends, and what for. Labels are those that Budgets select by. */
export interface Payer {
  session: string;
  run: number;
  agent: string;
  pool: string;
  project: string;
  purpose: Purpose;
  labels: Readonly<Record<string, string>>;
}

/** Which turn of its session a request asks for, as the session's host says. */
export interface AskedTurn {
  /** Complete turns before it in the session's conversation, and one. */
  turn: number;
  /** The host that asks: another one after each start. */
  host: string;
}

/** Before anything else of a request: its bound is taken out of the windows that `at` lies in. */
export interface Reserved extends Payer, Partial<AskedTurn> {
  step: "reserved";
  id: string;
  /** The turn is paid again after a crash: the request by which an earlier host of the session asked for it. */
  resume?: string;
  /** The turn is paid again: the request by which the same host asked for it and got no whole answer. */
  again?: string;
  /** Wall time that it is counted at, ms: a confirmed one, and never before that of an earlier reservation. */
  at: number;
  /** Under which grants. */
  grants: readonly string[];
  model: string;
  /** `max_tokens` as it will be sent. */
  maxTokens: number;
  inputTokens: number;
  cost: NanoUSD;
  tokens: number;
  price: Price;
}

/** Before the first byte of the body leaves. */
export interface Sent {
  step: "sent";
  id: string;
}

/** It ended and its cost is known; 0 for an error status. */
export interface Settled {
  step: "settled";
  id: string;
  status: number;
  /** The upstream's own name of the request, where it gave one. */
  upstreamId?: string;
  usage: Usage;
  cost: NanoUSD;
  tokens: number;
  /** What it says about the next request of its session; absent where it says nothing. */
  basis?: Basis;
}

/** It ended and its cost is not known: charged with the most it can have been. */
export interface Unsettled {
  step: "unsettled";
  id: string;
  upstreamId?: string;
  why: string;
  cost: NanoUSD;
  tokens: number;
}

/** No byte of its body was sent: it cost nothing. */
export interface Released {
  step: "released";
  id: string;
  why: string;
}

/** Follows the settlement of a request that used more than its bound: all spending stops. */
export interface Violated {
  step: "violated";
  id: string;
  cost: NanoUSD;
  bound: NanoUSD;
}

/** A person has looked: the cost is this, and a violation of the request is lifted. */
export interface PersonSettled {
  step: "personSettled";
  id: string;
  cost: NanoUSD;
}

/** An amount was handed to this gateway for a window; a later line with the same id replaces it. */
export interface Granted {
  step: "granted";
  /** As of the reservation that it was handed out for. */
  at: number;
  grant: string;
  holder: string;
  budget: string;
  /** Of the Budget: its name may be given to another one later. */
  uid: string;
  period: Period;
  window: string;
  /** Wall time, ms: the first of the window and the first after it. */
  startMs: number;
  endMs: number;
  selector: Readonly<Record<string, string>>;
  limitCost: NanoUSD | null;
  limitTokens: number | null;
}

/** The second line of a ledger that was made anew from what a damaged one proved; see `rebuild.ts`. */
export interface Rebuilt {
  step: "rebuilt";
  /** The damaged file, kept beside it; absent where there was none. */
  from?: string;
  /** The copy of the totals that it was made from: what it says is charged here. Absent where there was none. */
  copy?: { ledger: string; seq: number };
  /** With how many lines it was made. */
  lines?: number;
  /** Lines that were missing. */
  lost: number;
  /** What was charged to a window because it could not be proven that it was not spent; the request's id settles it. */
  charges: readonly { id: string; budget: string; window: string; cost: NanoUSD; tokens: number }[];
}

/** The first line of a ledger. */
export interface Opened {
  step: "opened";
  ledger: string;
  version: 1;
}

export type Step =
  | Opened
  | Rebuilt
  | Granted
  | Reserved
  | Sent
  | Settled
  | Unsettled
  | Released
  | Violated
  | PersonSettled;

/** A step as written: numbered without gaps from 1, with the wall time in ms; of steps that have their own, that. */
export type Line = Step & { seq: number; at: number };

/** A step that can't follow what the ledger says: a bug, or a damaged file. */
export class LedgerError extends Error {
  override readonly name = "LedgerError";
}
