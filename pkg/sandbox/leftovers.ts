import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { environmentOf } from "../system/process-environment.ts";
import { eachProcess } from "../system/process-table.ts";

/** Between two looks at what was just killed, in milliseconds. */
const lookPeriodMs = 5;

/** Variable that marks every descendant of an unsandboxed command, whatever group or session it moved to. */
export const markerName = "BOSUN_COMMAND";

/** A marker of its own for one command that is run for `owner`. */
export function newMarker(owner: string): string {
  return `${owner}:${randomUUID()}`;
}

/** Ends every unsandboxed command of `owner` whose runner was killed and that went on. Nobody may run one meanwhile. */
export function endCommandsOf(owner: string): Promise<void> {
  return endMarked(`${owner}:`);
}

/**
 * Kills every process whose marker begins with `marker`, until two scans in a row find none: a process can fork while it is
 * being looked for. Linux only, by `/proc`; elsewhere the process group has to do.
 */
export async function endMarked(marker: string): Promise<void> {
  for (let clean = 0; clean < 2; ) {
    const found = marked(marker);
    clean = found.length === 0 ? clean + 1 : 0;
    for (const pid of found) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself since the scan.
      }
    }
    // What was killed needs a moment to be gone: one that the kernel holds must not keep all else here from going on.
    await pause(found.length === 0 ? 0 : lookPeriodMs);
  }
}

function marked(marker: string): readonly number[] {
  if (process.platform !== "linux") return [];
  const mark = `${markerName}=${marker}`;
  // In one go: what is read is in memory, and asking the thread pool for each file takes ten times as long.
  return eachProcess((pid) => {
    const environment = environmentOf(pid);
    if (environment === "gone") return "gone";
    return environment.includes(mark) ? pid : undefined;
  });
}
