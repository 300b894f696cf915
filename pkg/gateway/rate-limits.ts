/** What one agent learns from a 429 or 529 holds for all: who sends on only prolongs the limit. */
import type { Clock, Random } from "../runtime/clock.ts";

/** Back-off without a retry-after header: doubles from the first to the second, in milliseconds. */
const BACKOFF_MS = 1_000;
const BACKOFF_MS_MAX = 60_000;

interface Limit {
  /** By `clock.elapsed()`: nothing of the model is sent before. */
  untilMs: number;
  /** Refusals in a row. */
  failures: number;
  /** After a refusal one request goes ahead and shows whether the limit still holds. */
  probing: boolean;
}

export class RateLimits {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits = new Map<string, Limit>();

  constructor({ clock, random }: { clock: Clock; random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Milliseconds until `model` may be sent to; Infinity while one request probes whether it may be again. */
  delayMs(model: string): number {
    const limit = this.#limits.get(model);
    if (limit === undefined) return 0;
    if (limit.probing) return Number.POSITIVE_INFINITY;
    return Math.max(0, limit.untilMs - this.#clock.elapsed());
  }

  /**
   * A request to `model` goes ahead.
   *
   * @returns what to call with its status, once; undefined when it ended without one
   */
  sending(model: string): (status: number | undefined, retryAfterSeconds?: number) => void {
    const probed = this.#limits.get(model);
    if (probed !== undefined) probed.probing = true;
    return (status, retryAfterSeconds) => {
      if (status === 429 || status === 529) return this.#refused(model, retryAfterSeconds);
      // A request from before the limit says nothing about it: only the one that probed does.
      if (probed === undefined || this.#limits.get(model) !== probed) return;
      if (status === undefined) probed.probing = false;
      else this.#limits.delete(model);
    };
  }

  /** @param retryAfterSeconds - as the answer says; undefined: the back-off decides */
  #refused(model: string, retryAfterSeconds: number | undefined): void {
    const limit = this.#limits.get(model);
    const failures = (limit?.failures ?? 0) + 1;
    const delayMs = retryAfterSeconds === undefined ? this.#backoffMs(failures) : retryAfterSeconds * 1000;
    const untilMs = Math.max(limit?.untilMs ?? 0, this.#clock.elapsed() + delayMs);
    this.#limits.set(model, { untilMs, failures, probing: false });
  }

  /** Full jitter in the upper half, so that nobody comes back at once. */
  #backoffMs(failures: number): number {
    const ms = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** (failures - 1));
    return ms / 2 + (ms / 2) * this.#random.next();
  }
}

/** Seconds of a retry-after header in either form; undefined when there is none that can be read. */
export function retryAfterSeconds(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, (atMs - nowMs) / 1000);
}
