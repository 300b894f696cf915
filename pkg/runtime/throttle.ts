import type { Clock } from "./clock.ts";

/**
 * `act`, at most once in `ms()` milliseconds, asked at each call: the first call acts at once, those that come too
 * early act together when the time is over. Ends with `signal`.
 */
export function throttle(
  act: () => void,
  { clock, ms, signal }: { clock: Clock; ms: () => number; signal: AbortSignal },
) {
  let lastMs = Number.NEGATIVE_INFINITY;
  let waits = false;
  const now = (): void => {
    waits = false;
    lastMs = clock.elapsed();
    act();
  };
  return (): void => {
    if (waits || signal.aborted) return;
    const restMs = lastMs + ms() - clock.elapsed();
    if (restMs <= 0) {
      now();
      return;
    }
    waits = true;
    clock.sleep(restMs, signal).then(now, () => {
      // Ended: nobody waits any more.
    });
  };
}
