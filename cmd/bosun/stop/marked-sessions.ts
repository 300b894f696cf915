import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { sessionMarker } from "../../../pkg/session/process-tree.ts";

/** Sessions of which some process lives, by the mark that all their processes inherit: one look for all of them. */
export async function markedSessions(): Promise<ReadonlySet<string>> {
  const environments = process.platform === "linux" ? await fromProc() : await fromPs();
  const pattern = new RegExp(`(?:^|[\\0 ])${sessionMarker}=([^\\0 ]+)`);
  return new Set(environments.flatMap((text) => pattern.exec(text)?.[1] ?? []));
}

async function fromProc(): Promise<string[]> {
  const pids = (await readdir("/proc")).filter(
    (entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid,
  );
  // A process that is gone by now or another user's can't be read, and is none of ours.
  return await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, "utf8").catch(() => "")));
}

async function fromPs(): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-axEww", "-o", "command="], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split("\n");
}
