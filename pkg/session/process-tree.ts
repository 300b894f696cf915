import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Clock } from "../runtime/clock.ts";
import { endProcesses } from "../system/end-processes.ts";
import { environmentOf } from "../system/process-environment.ts";
import type { ProcessIdentity } from "../system/process-identity.ts";
import { eachProcess, nextTable } from "../system/process-table.ts";

/** Environment variable that every process of a session inherits, its tools included. */
export const sessionMarker = "BOSUN_SESSION";

/** A kill that is not proven within this is an unknown answer, in milliseconds. */
const proofLimitMs = 5_000;

/**
 * Kills a session's whole process tree and proves it gone.
 *
 * Where the host has a process id namespace of its own, the kernel ends everything in it before the host itself
 * is gone. Elsewhere what carries the session's mark, and what that has started, is found by looking.
 *
 * @param mayEnd - asked at each look: false where the session is another's to end by now
 * @returns false when something still lives after five seconds
 */
export async function endTree(
  session: string,
  known: readonly ProcessIdentity[],
  clock: Clock,
  mayEnd = () => true,
): Promise<boolean> {
  const mark = `${sessionMarker}=${session}`;
  const left = await endProcesses({
    roots: ({ pid, startTime, environment }) =>
      environment.includes(mark) || known.some((one) => one.pid === pid && one.startTime === startTime),
    clock,
    limitMs: proofLimitMs,
    // After the look: what a host starts from now on is none of what was seen.
    table: async () => {
      const table = await nextTable();
      return mayEnd() ? table : [];
    },
  });
  return left.length === 0;
}

/** Pids of the session's processes, by the mark in their environment; never the caller's own. */
export async function markedProcesses(session: string): Promise<readonly number[]> {
  const mark = `${sessionMarker}=${session}`;
  const found = process.platform === "linux" ? markedInProc(mark) : await markedByPs(mark);
  return found.filter((pid) => pid !== process.pid);
}

function markedInProc(mark: string): readonly number[] {
  // In one go: what is read is in memory, and asking the thread pool for each file takes ten times as long.
  return eachProcess((pid) => {
    const environment = environmentOf(pid);
    if (environment === "gone") return "gone";
    return environment.split("\0").includes(mark) ? pid : undefined;
  });
}

async function markedByPs(mark: string): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-axEww", "-o", "pid=,command="], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const lines = stdout.split("\n").filter((line) => line.split(" ").includes(mark));
  return lines.map((line) => Number.parseInt(line, 10));
}
