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
  const digest = createHash("sha256").update(realpathSync(dirname(stopLatch)));
  return { [workspaceMarker]: digest.digest("hex").slice(0, 32) };
}

/** Whether a process ends when the latch at `stopLatch` is engaged, by its mark. */
export function endsWith(stopLatch: string): (entry: ProcessEntry) => boolean {
  const mark = `${workspaceMarker}=${workspaceMark(stopLatch)[workspaceMarker]}`;
  return ({ environment }) => environment.includes(mark);
}
