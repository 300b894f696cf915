/** What one agent learns from a 429 or 529 holds for all: who sends on only prolongs the limit. */
import type { Clock, Random } from "../runtime/clock.ts";
import type { UsageLimit } from "./money.ts";
import type { Refusal } from "./usage-limit.ts";

/** Back-off of a refusal that says nothing: doubles from the first to the second, in milliseconds. */
const BACKOFF_MS = 1_000;
const BACKOFF_MS_MAX = 60_000;
/**
 * For how long a usage limit holds without being asked about again, in milliseconds. The longest takes a week, in which
 * a person may buy more, and what is read from a header may be wrong: one request then shows whether it still holds.
 */
export const USAGE_HOLD_MS_MAX = 6 * 3_600_000;

/** Stands for every model of the account. */
const ACCOUNT = "*";

interface Limit {
  /** By `clock.elapsed()`: nothing is sent before. */
  untilMs: number;
  /** Refusals in a row. */
  failures: number;
  /** After a refusal one request goes ahead and shows whether the limit still holds. */
  probing: boolean;
  /** Where the plan's usage is used up, by the wall clock: told to people, and kept over a restart. */
  usage?: { sinceMs: number; untilMs: number };
}

/** A usage limit as it is kept on disk, by the wall clock. */
export interface KeptUsageLimit {
  /** The model it holds for; undefined: all. */
  model?: string;
  sinceMs: number;
  untilMs: number;
}

export interface RateLimitsOptions {
  clock: Clock;
  random: Random;
  /** Usage limits of an earlier process. */
  kept?: readonly KeptUsageLimit[];
  /** Called with those in force whenever they change. */
  usageChanged?(limits: readonly KeptUsageLimit[]): void;
}

export class RateLimits {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #usageChanged: (limits: readonly KeptUsageLimit[]) => void;
  readonly #limits = new Map<string, Limit>();

  constructor({ clock, random, kept = [], usageChanged = () => {} }: RateLimitsOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#usageChanged = usageChanged;
    for (const { model = ACCOUNT, sinceMs, untilMs } of kept) {
      // A clock that was set back must not make it longer than it was.
      const leftMs = Math.min(untilMs - clock.now(), untilMs - sinceMs, USAGE_HOLD_MS_MAX);
      if (leftMs <= 0) continue;
      this.#limits.set(model, {
        untilMs: clock.elapsed() + leftMs,
        failures: 1,
        probing: false,
        usage: { sinceMs, untilMs },
      });
    }
  }

  /** Milliseconds until `model` may be sent to; Infinity while one request probes whether it may be again. */
  delayMs(model: string): number {
    return Math.max(...this.#of(model).map((limit) => this.#delayOf(limit)), 0);
  }

  /** The usage limit that holds `model` back now; the longer one of two. Undefined once it may be probed. */
  usageLimit(model: string): UsageLimit | undefined {
    const held = this.usageLimits().filter((limit) => (limit.model ?? model) === model);
    return held.sort((a, b) => b.untilMs - a.untilMs)[0];
  }

  /** Those in force now. */
  usageLimits(): readonly UsageLimit[] {
    return [...this.#limits].flatMap(([key, limit]) => {
      if (limit.usage === undefined || !this.#holds(limit)) return [];
      const { untilMs } = limit.usage;
      return [{ ...(key === ACCOUNT ? {} : { model: key }), untilMs, leftMs: this.#delayOf(limit) }];
    });
  }

  /**
   * A request to `model` goes ahead.
   *
   * @returns what to call with its status, once; undefined when it ended without one. With a 429 or 529 goes what its
   *   headers say
   */
  sending(model: string): (status: number | undefined, refusal?: Refusal) => void {
    const probed = this.#of(model);
    for (const limit of probed) limit.probing = true;
    return (status, refusal = { waitMs: undefined, usedUp: undefined }) => {
      if (status === 429 || status === 529) {
        // What was probed and is not what refused waits for the next one to probe it.
        for (const limit of probed) limit.probing = false;
        return this.#refused(model, refusal);
      }
      // A request from before the limit says nothing about it: only the one that probed does.
      for (const key of [ACCOUNT, model]) {
        const limit = this.#limits.get(key);
        if (limit === undefined || !probed.includes(limit)) continue;
        if (status === undefined) limit.probing = false;
        else this.#lift(key);
      }
    };
  }

  #of(model: string): Limit[] {
    return [ACCOUNT, model].flatMap((key) => this.#limits.get(key) ?? []);
  }

  #delayOf(limit: Limit | undefined): number {
    if (limit === undefined) return 0;
    if (limit.probing) return Number.POSITIVE_INFINITY;
    const leftMs = limit.untilMs - this.#clock.elapsed();
    // The elapsed clock stands still while the machine sleeps, the account's time does not. A wall clock that was set
    // forward costs one early probe.
    const byWallMs = (limit.usage?.untilMs ?? Number.POSITIVE_INFINITY) - this.#clock.now();
    return Math.max(0, Math.min(leftMs, byWallMs));
  }

  /** One that is being probed holds nobody: who asks stands in line for the answer. */
  #holds(limit: Limit | undefined): boolean {
    return limit !== undefined && !limit.probing && this.#delayOf(limit) > 0;
  }

  #refused(model: string, { waitMs, usedUp }: Refusal): void {
    const key = usedUp === "account" ? ACCOUNT : model;
    const limit = this.#limits.get(key);
    const failures = (limit?.failures ?? 0) + 1;
    const delayMs = waitMs ?? this.#backoffMs(failures);
    const heldMs = usedUp === undefined ? delayMs : Math.min(delayMs, USAGE_HOLD_MS_MAX);
    const untilMs = Math.max(limit?.untilMs ?? 0, this.#clock.elapsed() + heldMs);
    // An ordinary refusal that was still under way says nothing of a usage limit that holds.
    const before = this.#holds(limit) ? limit?.usage : undefined;
    const nowMs = this.#clock.now();
    const usage =
      usedUp === undefined
        ? before
        : { sinceMs: nowMs, untilMs: Math.max(nowMs + delayMs, before?.untilMs ?? 0) };
    this.#limits.set(key, { untilMs, failures, probing: false, ...(usage === undefined ? {} : { usage }) });
    if (usage !== limit?.usage) this.#usageChanged(this.#kept());
  }

  #lift(key: string): void {
    const had = this.#limits.get(key)?.usage !== undefined;
    this.#limits.delete(key);
    if (had) this.#usageChanged(this.#kept());
  }

  #kept(): KeptUsageLimit[] {
    return [...this.#limits].flatMap(([key, { usage }]) => {
      if (usage === undefined) return [];
      return [{ ...(key === ACCOUNT ? {} : { model: key }), ...usage }];
    });
  }

  /** Full jitter in the upper half, so that nobody comes back at once. */
  #backoffMs(failures: number): number {
    const ms = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** (failures - 1));
    return ms / 2 + (ms / 2) * this.#random.next();
  }
}
