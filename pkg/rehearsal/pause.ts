import type { Clock } from "../runtime/clock.ts";

/**
 * Waits for `ms` milliseconds; 0 is no wait at all, not a timer's shortest.
 *
 * @throws `signal.reason` when aborted
 */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await clock.sleep(ms, signal);
  else signal.throwIfAborted();
}
