import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { comesWithin, endLate } from "./end-late.ts";
import { hold } from "./hold.ts";

/**
 * Ends a process that stays and has nothing to do any more, by the end of its input, and waits until it is gone. One that
 * is not after `graceMs` is ended as late.
 */
export async function endIdle(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  hold(child, "ref");
  const gone = once(child, "exit").then(() => true as const);
  child.stdin?.end();
  if (!(await comesWithin(graceMs, gone))) await endLate(child, graceMs);
}
