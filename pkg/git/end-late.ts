import type { ChildProcess } from "node:child_process";
import { signalExactly, treesIn } from "../system/end-processes.ts";
import { processTable } from "../system/process-table.ts";
import { hold } from "./hold.ts";
import { patience } from "./patience.ts";

/**
 * Ends a process that is late, with all that it has started. They are asked first, since git then takes its lock files
 * away, and killed after `graceMs`.
 *
 * @returns false: it lives on `graceMs` after that; one that waits for a disk can't be ended
 */
export async function endLate(child: ChildProcess, graceMs: number): Promise<boolean> {
  const { promise: closed, resolve } = Promise.withResolvers<true>();
  child.once("close", () => resolve(true));
  const tree = treesIn(processTable(), ({ pid }) => pid === child.pid);
  for (const name of ["SIGTERM", "SIGKILL"] as const) {
    for (const entry of tree) signalExactly(entry, name);
    if (await comesWithin(graceMs, closed)) return true;
  }
  // Whatever becomes of it, it must not keep this process from ending.
  hold(child, "unref");
  return false;
}

/** Whether `gone` comes about within `ms`. */
export async function comesWithin(ms: number, gone: Promise<true>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const waiting = patience(ms, () => resolve(false));
  const isGone = await Promise.race([gone, late]);
  waiting.end();
  return isGone;
}
