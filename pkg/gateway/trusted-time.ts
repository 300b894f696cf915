/**
 * Which wall time money may be counted at. A wall clock can be set, a month forward for a new limit or back for an old
 * one; so it is believed only while it runs beside the elapsed clock, after an upstream's `Date` has agreed with it once.
 * Pure: looks and dates go in, trust comes out.
 */
import { timestamp } from "../runtime/clock.ts";

/** Both clocks at one moment, in milliseconds. */
export interface Look {
  wallMs: number;
  /** Grows with time, from a start that means nothing; it may stand still while the machine sleeps. */
  elapsedMs: number;
}

export type Trust =
  | { is: "confirmed" }
  /** Nobody has answered since the start or the jump: an answer can still confirm the clock. */
  | { is: "asking"; message: string }
  /** Who was asked contradicts the clock, or gave no answer. */
  | { is: "unconfirmed"; message: string };

/** Why an answer, or none, did not confirm the clock. */
type Doubt = "undated" | "contradicted" | "unheard";

/** Clocks agree within this, in milliseconds. */
export const AGREEMENT_MS = 300_000;

export class TrustedTime {
  /** When a date agreed, that date minus elapsed, and wall minus elapsed; undefined before the first. */
  #confirmed: { date: number; wall: number } | undefined;
  /** The first answer of its kind that did not confirm, and wall minus elapsed then: of another clock it says nothing. */
  #doubt: { offset: number; wallMs: number; of: Doubt; message: string } | undefined;

  /** Whether the wall clock can be believed at `look`. */
  trust(look: Look): Trust {
    const offset = offsetOf(look);
    // Measured from the date: a clock that was minutes off when it agreed may not go as far again.
    if (this.#confirmed !== undefined && agree(offset, this.#confirmed.date)) return { is: "confirmed" };
    const suspicion =
      this.#confirmed === undefined
        ? "no upstream has confirmed this machine's clock since the start"
        : `this machine's clock jumped by ${amount(offset - this.#confirmed.wall)}`;
    if (this.#doubt !== undefined && agree(offset, this.#doubt.offset)) {
      // The network is the trouble then, not the clock: first, since a terminal cuts what is long.
      if (this.#doubt.of === "unheard")
        return { is: "unconfirmed", message: `ClockUnconfirmed: ${this.#doubt.message}; ${suspicion}.` };
      // As of the answer, not of now: what is told to people must not change with every look.
      const said = `it said ${timestamp(this.#doubt.wallMs)}`;
      return {
        is: "unconfirmed",
        message: `ClockUnconfirmed: ${suspicion}; ${said}, ${this.#doubt.message}.`,
      };
    }
    return { is: "asking", message: `ClockUnconfirmed: ${suspicion}, and no answer has come yet.` };
  }

  /**
   * An upstream's answer came at `look`.
   *
   * @param dateMs - its `Date` header; undefined when it had none that can be read
   */
  heard(dateMs: number | undefined, look: Look): void {
    if (dateMs === undefined) this.#doubtIt(look, "undated", "the upstream's answer has no Date");
    else if (!agree(dateMs, look.wallMs))
      this.#doubtIt(look, "contradicted", `the upstream said ${timestamp(dateMs)}`);
    else {
      this.#confirmed = { date: dateMs - look.elapsedMs, wall: offsetOf(look) };
      this.#doubt = undefined;
    }
  }

  /** An upstream was asked and could not be reached. */
  unheard(why: string, look: Look): void {
    this.#doubtIt(look, "unheard", `the upstream can't be reached: ${why.replace(/\.$/, "")}`);
  }

  /** What disagrees with a clock that was confirmed and has not jumped since is itself wrong, and ignored. */
  #doubtIt(look: Look, of: Doubt, message: string): void {
    if (this.trust(look).is === "confirmed") return;
    const offset = offsetOf(look);
    const isKnown = this.#doubt !== undefined && this.#doubt.of === of && agree(offset, this.#doubt.offset);
    if (!isKnown) this.#doubt = { offset, wallMs: look.wallMs, of, message };
  }
}

/**
 * The moment that a reservation is counted at, wall time in ms. It never goes back, and goes forward only with a
 * confirmed clock: a clock set back spends on in the newest windows, one set forward opens none.
 *
 * @param newestMs - of the reservations so far, by the ledger; undefined when there are none
 * @returns undefined when no moment has ever been confirmed
 */
export function momentOf(trust: Trust, wallMs: number, newestMs: number | undefined): number | undefined {
  if (trust.is !== "confirmed") return newestMs;
  return newestMs === undefined ? wallMs : Math.max(wallMs, newestMs);
}

function offsetOf({ wallMs, elapsedMs }: Look): number {
  return wallMs - elapsedMs;
}

function agree(a: number, b: number): boolean {
  return Math.abs(a - b) <= AGREEMENT_MS;
}

/** `24 h`, `-6 min`: for people. */
function amount(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return Math.abs(minutes) < 120 ? `${minutes} min` : `${Math.round(minutes / 6) / 10} h`;
}
