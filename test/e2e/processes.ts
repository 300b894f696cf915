/** Who still runs for a workspace, found without asking it. */
import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";

export interface RunningProcess {
  pid: number;
  command: string;
}

/** Every process whose command line, environment or working folder names `folder`, the caller aside. */
export async function processesOf(folder: string): Promise<readonly RunningProcess[]> {
  const all = process.platform === "linux" ? await inProc(folder) : await byPs(folder);
  return all.filter(({ pid }) => pid !== process.pid);
}

async function inProc(folder: string): Promise<readonly RunningProcess[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // What can't be read is gone, or another user's.
      const read = (name: string): Promise<string> =>
        readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
      const command = await read("cmdline");
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
      const names = [command, await read("environ"), cwd].some((text) => text.includes(folder));
      return names ? [{ pid: Number(pid), command: command.replaceAll("\0", " ").trim() }] : [];
    }),
  );
  return found.flat();
}

async function byPs(folder: string): Promise<readonly RunningProcess[]> {
  const maxBuffer = 64 * 1024 * 1024;
  const { stdout } = await promisify(execFile)("ps", ["-axEww", "-o", "pid=,command="], { maxBuffer });
  return stdout
    .split("\n")
    .filter((line) => line.includes(folder))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim().replace(/^\d+ /, "") }));
}
