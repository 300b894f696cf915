import { existsSync, readFileSync, statSync } from "node:fs";

/**
 * What process `pid` was started with: `NAME=value` each, with a NUL after it. Empty where it has none or can't be read, and
 * `gone` where there is no such process. Linux alone; blocks.
 *
 * For a moment in `execve` a process shows neither environment nor command line, for longer on a machine that is starved. Who
 * looks for a mark would take it for none of theirs, so it is read again until it shows its environment, or its command line
 * alone often enough.
 */
export function environmentOf(pid: number): string | "gone" {
  let named = 0;
  for (let tries = 1; ; tries += 1) {
    const environment = readOf(pid, "environ");
    if (environment === undefined) return existsSync(`/proc/${pid}`) ? "" : "gone";
    if (environment !== "" || !hasProgram(pid)) {
      silent.delete(pid);
      return environment;
    }
    if (silent.has(pid)) return "";
    // It may have become the other program since its environment was read.
    if (readOf(pid, "cmdline") !== "") named += 1;
    if (named === namedMax || tries === triesMax) silent.add(pid);
    else Atomics.wait(nothing, 0, 0, pauseMs);
  }
}

/** What is between two tries, in milliseconds. */
const pauseMs = 1;
/** Who is seen with a command line and without an environment so often has none. */
const namedMax = 5;
/** Who shows nothing at all for so long has nothing to show. */
const triesMax = 50;
/** Pids of those: they are waited for once. */
const silent = new Set<number>();
const nothing = new Int32Array(new SharedArrayBuffer(4));

/** A thread of the kernel, what waits to be collected and what is gone has none. */
function hasProgram(pid: number): boolean {
  try {
    return statSync(`/proc/${pid}/exe`, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // That of another user's is not shown.
    return false;
  }
}

/** Undefined for what is gone by now, or is another user's. */
function readOf(pid: number, name: "environ" | "cmdline"): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(code)) return undefined;
    throw error;
  }
}
