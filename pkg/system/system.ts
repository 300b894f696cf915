/** The real clock, chance and identity. */
import { randomUUID } from "node:crypto";
import type { Clock, Ids, Random } from "../runtime/clock.ts";

/** The longest delay that a timer of Node takes; beyond it fires at once. */
const timerMsMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  async sleep(ms, signal) {
    const endMs = performance.now() + ms;
    // Timers count whole milliseconds from one that has begun: without one more each sleep would be woken twice.
    do await timer(Math.min(Math.ceil(Math.max(0, endMs - performance.now())) + 1, timerMsMax), signal);
    while (performance.now() < endMs);
  },
};

export const systemRandom: Random = { next: () => Math.random() };

export const systemIds: Ids = { uuid: () => randomUUID() };

/** Runs `fn` in a later turn of the event loop. */
export function systemDefer(fn: () => void): void {
  setImmediate(fn);
}

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const end = (): void => {
      clearTimeout(timeout);
      reject(signal?.reason);
    };
    const timeout = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}
