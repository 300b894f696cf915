/** A clock for tests that only moves when it is told to. */
import type { Clock } from "../clock.ts";

export class TestClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #sleepers: { untilMs: number; wake: () => void }[] = [];

  constructor(now = "2026-11-23T12:00:00Z") {
    this.#nowMs = Date.parse(now);
    this.#startMs = this.#nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  elapsed(): number {
    return this.#nowMs - this.#startMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const sleeper = { untilMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
        reject(signal.reason);
      });
    });
  }

  /** Lets `ms` milliseconds pass, and what waited for them run, in order. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#sleepers
        .filter((one) => one.untilMs <= untilMs)
        .sort((a, b) => a.untilMs - b.untilMs);
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.untilMs);
      this.#sleepers = this.#sleepers.filter((one) => one !== next);
      next.wake();
      await settled();
    }
    this.#nowMs = untilMs;
    await settled();
  }
}

/** Resolves when every promise that could go on has gone on. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
