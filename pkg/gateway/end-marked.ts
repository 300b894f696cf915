import type { Clock } from "../runtime/clock.ts";
import { endProcesses } from "../system/end-processes.ts";
import { endsWith } from "../system/workspace-mark.ts";

/** How long it tries, in milliseconds. */
const limitMs = 5_000;

/**
 * Ends whatever carries the mark of the workspace whose latch is at `stopLatch`: checks of an operator that hangs, and hosts
 * that can't look at the latch themselves.
 *
 * @param isStopped - asked at each look: what is started once the stop is over is none of it
 */
export async function endMarked(stopLatch: string, clock: Clock, isStopped = () => true): Promise<void> {
  const isMarked = endsWith(stopLatch);
  await endProcesses({ roots: (entry) => isStopped() && isMarked(entry), clock, limitMs });
}
