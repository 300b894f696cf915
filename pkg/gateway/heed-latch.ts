import type { Clock } from "../runtime/clock.ts";
import { isEngaged } from "../system/latch-files.ts";
import { endMarked } from "./end-marked.ts";

/** How often the stop latch is looked at, in milliseconds: a stop takes less than a second. */
const LATCH_EVERY_MS = 200;

/**
 * Ends this process once the emergency stop is in force, and before it whatever carries the workspace's mark: checks
 * of an operator that hangs, and hosts that can't look at the latch themselves.
 */
export async function heedLatch(stopLatch: string, clock: Clock, over: AbortSignal): Promise<void> {
  while (!isEngaged(stopLatch)) {
    await clock.sleep(LATCH_EVERY_MS, over).catch(() => undefined); // Over.
    if (over.aborted) return;
  }
  await endMarked(stopLatch, clock).catch((error) => console.error("Others could not be ended.", error));
  process.exit(1);
}
