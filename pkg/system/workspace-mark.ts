import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import type { ProcessEntry } from "./process-table.ts";

/** Environment variable of every process that a stop has to end: hosts, tools, setup, checks, the gateway. */
const workspaceMarker = "BOSUN_WORKSPACE";

/**
 * The mark of all processes that end when the latch at `stopLatch` is engaged: `{ BOSUN_WORKSPACE: … }`. It tells
 * nothing of where the workspace is, as commands in a sandbox see it.
 *
 * @param stopLatch - its folder must exist
 */
export function workspaceMark(stopLatch: string): Readonly<Record<string, string>> {
  return { [workspaceMarker]: markOf(realpathSync(dirname(stopLatch))) };
}

/** Whether a process ends when the latch at `stopLatch` is engaged, by its mark. */
export function endsWith(stopLatch: string): (entry: ProcessEntry) => boolean {
  return startedAt(realpathSync(dirname(stopLatch)));
}

/** Whether a process was started for the workspace whose latch was in `folder`, a real path that may be gone since. */
export function startedAt(folder: string): (entry: ProcessEntry) => boolean {
  const mark = `${workspaceMarker}=${markOf(folder)}`;
  return ({ environment }) => environment.includes(mark);
}

function markOf(folder: string): string {
  return createHash("sha256").update(folder).digest("hex").slice(0, 32);
}
