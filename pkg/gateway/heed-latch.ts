import { existsSync } from "node:fs";
import type { Clock } from "../runtime/clock.ts";
import { endProcesses } from "../system/end-processes.ts";
import { endsWith } from "../system/workspace-mark.ts";

/** How often the stop latch is looked at, in milliseconds: a stop takes less than a second. */
const LATCH_EVERY_MS = 200;
/** How long it tries to end others before it ends itself, in milliseconds. */
const END_OTHERS_MS = 5_000;

/**
 * Ends this process once the emergency stop is in force, and before it whatever carries the workspace's mark: checks
 * of an operator that hangs, and hosts that can't look at the latch themselves.
 */
export async function heedLatch(stopLatch: string, clock: Clock, over: AbortSignal): Promise<void> {
  while (!existsSync(stopLatch)) {
    await clock.sleep(LATCH_EVERY_MS, over).catch(() => undefined); // Over.
    if (over.aborted) return;
  }
  await endProcesses({ roots: endsWith(stopLatch), clock, limitMs: END_OTHERS_MS }).catch((error) =>
    console.error("Others could not be ended.", error),
  );
  process.exit(1);
}
