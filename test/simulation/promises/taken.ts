import type { Reserved } from "../../../pkg/gateway/ledger-lines.ts";
import type { BudgetPolicy } from "../../../pkg/gateway/money.ts";
import type { Bill } from "../world/upstream.ts";

/** Who is paid for, and when: the requests of one window that one selector takes. */
export interface Share extends Pick<BudgetPolicy, "selector"> {
  startMs: number;
  endMs: number;
}

type Reservation = Pick<Reserved, "id" | "at" | "labels">;

interface Entry {
  reservation: Reservation;
  counts: Bill;
}

/**
 * What each reservation counts for, and what they add up to in a window. The sums are kept: every reservation asks for
 * those of its windows, and a day has thousands.
 */
export class Taken {
  readonly #entries = new Map<string, Entry>();
  readonly #sums = new Map<string, { share: Share; sum: Bill }>();

  /** `reservation` counts for so much from now on, whatever it counted for. */
  count(reservation: Reservation, counts: Bill): void {
    this.#add(this.#entries.get(reservation.id), -1);
    const entry = { reservation, counts: { cost: counts.cost, tokens: counts.tokens } };
    this.#entries.set(reservation.id, entry);
    this.#add(entry, 1);
  }

  forget(id: string): void {
    this.#add(this.#entries.get(id), -1);
    this.#entries.delete(id);
  }

  within(share: Share): Readonly<Bill> {
    const key = `${share.startMs} ${share.endMs} ${JSON.stringify(share.selector)}`;
    const known = this.#sums.get(key);
    if (known !== undefined) return known.sum;
    const sum = this.recounted(share);
    this.#sums.set(key, { share, sum });
    return sum;
  }

  /** As `within`, from every reservation anew. */
  recounted(share: Share): Bill {
    const sum = { cost: 0, tokens: 0 };
    for (const entry of this.#entries.values()) if (isIn(share, entry.reservation)) add(sum, entry.counts, 1);
    return sum;
  }

  #add(entry: Entry | undefined, sign: 1 | -1): void {
    if (entry === undefined) return;
    for (const { share, sum } of this.#sums.values())
      if (isIn(share, entry.reservation)) add(sum, entry.counts, sign);
  }
}

function add(sum: Bill, { cost, tokens }: Bill, sign: 1 | -1): void {
  sum.cost += sign * cost;
  sum.tokens += sign * tokens;
}

function isIn({ startMs, endMs, selector }: Share, { at, labels }: Reservation): boolean {
  if (at < startMs || at >= endMs) return false;
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}
