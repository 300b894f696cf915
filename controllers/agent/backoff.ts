/** How long to wait after sessions that ended badly. Pure. */
import type { AgentStatus } from "../../pkg/api/generated.ts";
import type { Random } from "../../pkg/runtime/clock.ts";

/** So many bad ends in a row are a crash loop. */
export const crashLoopFailures = 3;
/** A host that lived for this long, in seconds, was well: what fails after it is counted anew (as a kubelet does). */
export const steadySeconds = 600;

/** The wait after the first bad end, and the longest, in milliseconds. */
const firstMs = 10_000;
const longestMs = 3_600_000;

/** The longest wait after `failures` bad ends in a row, in milliseconds: 10 s, doubled with each, up to an hour. */
function backoffMsMax(failures: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.max(0, failures - 1));
}

/** Half of the longest wait to all of it at random, so that agents which failed together do not come back together. */
export function backoffMs(failures: number, random: Random): number {
  return Math.ceil(backoffMsMax(failures) * (0.5 + random.next() / 2));
}

/** What is left to wait for, in milliseconds. `TooLong`: the wall clock was set back, and the wait is to be set anew. */
export function waitOf({ nextStartTime, failures = 0 }: AgentStatus, now: number): number | "TooLong" {
  if (nextStartTime === undefined) return 0;
  const leftMs = Date.parse(nextStartTime) - now;
  // A timestamp has whole seconds.
  if (leftMs > backoffMsMax(failures) + 1000) return "TooLong";
  return Math.max(0, leftMs);
}
