/** Which process a pid means: pids are reused, so a process is known by its pid together with its start time. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

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

async function startTimeFromProc(pid: number, proc: string): Promise<string | undefined> {
  let stat: string;
  try {
    stat = await readFile(`${proc}/${pid}/stat`, "latin1");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  // The command's name is in parentheses and may hold any character: count fields after the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  const ticks = fields[19];
  if (ticks === undefined) throw new Error(`${proc}/${pid}/stat has fewer fields than proc(5) says: ${stat}`);
  if (state === "Z" || state === "X") return undefined;
  return `${await bootId()}/${ticks}`;
}

async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "latin1")).trim();
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
