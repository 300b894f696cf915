/** Keeps the gateway's trusted time: hears the dates of all answers, and asks for one when the clock is in doubt. */
import { type Clock, timestamp } from "../runtime/clock.ts";
import { AGREEMENT_MS, type Look, momentOf, type Trust, TrustedTime } from "./trusted-time.ts";

/** Between two questions that did not confirm the clock, doubling from the first to the second, in milliseconds. */
const ASK_AGAIN_MS = 1_000;
const ASK_AGAIN_MS_MAX = 60_000;

/** When money is counted, and whether that is believed to be now. */
export interface Moment {
  /** Wall time, ms: never goes back. Undefined when no clock was ever confirmed: nothing may be counted yet. */
  ms: number | undefined;
  /** What the wall clock says, ms. */
  wallMs: number;
  trust: Trust;
}

/** Why the windows may not be those of this machine's clock, for people; undefined: they are. */
export function troubleOf({ ms, wallMs, trust }: Moment): string | undefined {
  if (trust.is === "unconfirmed") return trust.message;
  if (trust.is === "asking" || ms === undefined || ms <= wallMs + AGREEMENT_MS) return undefined;
  const then = timestamp(ms);
  return `ClockUnconfirmed: money was counted at ${then} already, ahead of this machine's clock; no window opens before.`;
}

export interface TimeKeeperDeps {
  clock: Clock;
  /** Asks the upstream for anything that costs nothing; resolves once `heard` was told of the answer. */
  ask(signal: AbortSignal): Promise<void>;
  /** The newest moment that money was counted at, by the ledger. */
  newestMs(): number | undefined;
  /** Called when the clock was confirmed, or came into doubt: windows may open, or have a reason why not. */
  changed(trust: Trust): void;
}

export class TimeKeeper {
  readonly #deps: TimeKeeperDeps;
  readonly #time = new TrustedTime();
  readonly #closing = new AbortController();
  #isAsking = false;
  #pauseMs = ASK_AGAIN_MS;
  /** By `clock.elapsed()`. */
  #askAgainMs = Number.NEGATIVE_INFINITY;
  #said: Trust["is"] | undefined;

  constructor(deps: TimeKeeperDeps) {
    this.#deps = deps;
  }

  /** The moment now. To be called every few seconds: while the clock is in doubt, the upstream is asked from here. */
  now(): Moment {
    const look = this.#look();
    const trust = this.#time.trust(look);
    this.#tell(trust);
    const isDue = trust.is === "asking" || look.elapsedMs >= this.#askAgainMs;
    if (trust.is !== "confirmed" && isDue && !this.#isAsking) void this.#ask();
    return { ms: momentOf(trust, look.wallMs, this.#deps.newestMs()), wallMs: look.wallMs, trust };
  }

  /** An answer of the upstream came, with this `Date` header. */
  heard(date: string | undefined): void {
    const dateMs = Date.parse(date ?? "");
    const look = this.#look();
    this.#time.heard(Number.isNaN(dateMs) ? undefined : dateMs, look);
    this.#tell(this.#time.trust(look));
  }

  /** Asks no more. */
  close(): void {
    this.#closing.abort(new Error("The gateway was stopped."));
  }

  #look(): Look {
    return { wallMs: this.#deps.clock.now(), elapsedMs: this.#deps.clock.elapsed() };
  }

  async #ask(): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    this.#isAsking = true;
    await this.#deps.ask(signal).catch((error: Error) => this.#time.unheard(error.message, this.#look()));
    this.#isAsking = false;
    const trust = this.#time.trust(this.#look());
    this.#pauseMs = trust.is === "confirmed" ? ASK_AGAIN_MS : Math.min(2 * this.#pauseMs, ASK_AGAIN_MS_MAX);
    this.#askAgainMs = this.#deps.clock.elapsed() + this.#pauseMs;
    this.#tell(trust);
  }

  /** Once for each turn of the trust, not for each look. */
  #tell(trust: Trust): void {
    if (trust.is === this.#said) return;
    this.#said = trust.is;
    this.#deps.changed(trust);
  }
}
