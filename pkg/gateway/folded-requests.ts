/** Requests that are over for good, added up: what sums and reports need of them, in a hundredth of the room. */
import type { Payer } from "./ledger-lines.ts";
import type { NanoUSD } from "./money.ts";

/** What was charged for some requests: of one payer, for one model, reserved in one quarter of an hour. */
export interface Charge {
  payer: Payer;
  model: string;
  /** Wall time, ms: the first of the quarter. */
  at: number;
  state: "settled";
  cost: NanoUSD;
  tokens: number;
  requests: number;
  /** Whether they are turns that were paid before. */
  isAgain: boolean;
}

/** As in a checkpoint: the payer's number, model, first of the quarter, cost, tokens, requests, paid again. */
export type WrittenCharge = readonly [number, string, number, NanoUSD, number, number, 0 | 1];

/**
 * No window begins or ends within one, in milliseconds: every zone is some quarters of an hour off UTC, and changes its
 * clocks by as many. So a charge is in a window or not, as each of its requests was.
 */
const QUARTER_MS = 15 * 60_000;
/**
 * What is older than this is kept without session, labels and time, in milliseconds: the month before this one is the last
 * that is asked about, and then who spends what in all.
 */
const WINDOWS_OVER_MS = 70 * 24 * 60 * 60_000;

export class FoldedRequests {
  readonly #charges = new Map<Payer, Map<string, Charge>>();

  /** @returns the charge, where it is a new one */
  add({ payer, model, at, cost, tokens, requests, isAgain }: Omit<Charge, "state">): Charge | undefined {
    const quarter = Math.floor(at / QUARTER_MS) * QUARTER_MS;
    const ofPayer = this.#charges.get(payer) ?? new Map<string, Charge>();
    this.#charges.set(payer, ofPayer);
    const key = `${quarter} ${isAgain} ${model}`;
    const known = ofPayer.get(key);
    if (known === undefined) {
      const charge: Charge = {
        ...{ payer, model, at: quarter, state: "settled", cost, tokens, requests, isAgain },
      };
      ofPayer.set(key, charge);
      return charge;
    }
    known.cost += cost;
    known.tokens += tokens;
    known.requests += requests;
    return undefined;
  }

  /** Takes out what is in no window any more that is asked about, when `newestMs` is the newest moment counted at. */
  takeOld(newestMs: number): readonly Charge[] {
    const old: Charge[] = [];
    for (const [payer, charges] of this.#charges) {
      if (isTimeless(payer)) continue;
      for (const [key, charge] of charges)
        if (charge.at < newestMs - WINDOWS_OVER_MS) {
          charges.delete(key);
          old.push(charge);
        }
      if (charges.size === 0) this.#charges.delete(payer);
    }
    return old;
  }

  *[Symbol.iterator](): IterableIterator<Charge> {
    for (const charges of this.#charges.values()) yield* charges.values();
  }
}

/** Who pays for what is too old to be asked about by session, label or time. */
export function timeless({ agent, pool, project, purpose }: Payer): Payer {
  return { session: "", run: 0, agent, pool, project, purpose, labels: {} };
}

function isTimeless({ session, run }: Payer): boolean {
  return session === "" && run === 0;
}
