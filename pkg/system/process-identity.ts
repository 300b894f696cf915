/** Which process a pid means: pids are reused, so a process is known by its pid together with its start time. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { parseStat } from "./process-stat.ts";

/** A process for good: a pid alone is given away again. `startTime` is what `startTimeOf` says. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

/**
 * The start time of process `pid` as an opaque string that is equal exactly when pid and process are the same, over
 * reboots too. Undefined when no such process lives; a zombie does not live.
 *
 * Linux: boot id and field 22 of `/proc/PID/stat` (proc(5)). Elsewhere: what `ps -o lstart=` prints.
 *
 * @param proc - where the proc file system is that knows `pid`: a process in a namespace may hold an outer one open
 * @throws Error when the system can't be asked: unknown, which must not be taken for absent
 */
export async function startTimeOf(pid: number, proc = "/proc"): Promise<string | undefined> {
  if (!Number.isInteger(pid) || pid < 1) return undefined;
  return process.platform === "linux" ? startTimeFromProc(pid, proc) : startTimeFromPs(pid);
}

/** Whether exactly this process runs. One that ended and waits to be collected does not. */
export async function isAlive({ pid, startTime }: ProcessIdentity): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}

function startTimeFromProc(pid: number, proc: string): string | undefined {
  const path = `${proc}/${pid}/stat`;
  let stat: string;
  try {
    // In memory: the thread pool would take ten times as long. In another encoding Node takes 64 KB for each such file.
    stat = readFileSync(path, "utf8");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  return parseStat(stat, path)?.startTime;
}

async function startTimeFromPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    });
    const [state = "", ...started] = stdout.trim().split(/\s+/);
    return state.startsWith("Z") || started.length === 0 ? undefined : started.join(" ");
  } catch (error) {
    // ps exits 1 when no process has the pid.
    if ((error as { code?: unknown }).code === 1) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ESRCH";
}
