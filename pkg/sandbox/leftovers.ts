import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";

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
    const found = await marked(marker);
    clean = found.length === 0 ? clean + 1 : 0;
    for (const pid of found) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself since the scan.
      }
    }
  }
}

async function marked(marker: string): Promise<readonly number[]> {
  if (process.platform !== "linux") return [];
  const mark = `${markerName}=${marker}`;
  const entries = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const owned = await Promise.all(
    entries.map(async (entry) => {
      // A process that is gone or another user's cannot be read, and is none of ours.
      const environment = await readFile(`/proc/${entry}/environ`, "utf8").catch(() => "");
      return environment.includes(mark) ? [Number(entry)] : [];
    }),
  );
  return owned.flat();
}
