import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeFileSystem } from "../storage/node-file-system.ts";
import { replaceFile } from "../storage/replace-file.ts";

/** What the process leaves in `gateway.json` of the state folder, for its successor and for whoever has to stop it. */
export interface ProcessRecord {
  pid: number;
  /** With the pid, the identity of the process. */
  startTime: string;
  port: number;
  socketPath: string;
}

/** The process that last ran on `stateDirectory`; it may be gone. Undefined when none ever did. */
export async function readProcessRecord(stateDirectory: string): Promise<ProcessRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(stateDirectory, "gateway.json"), "utf8")) as ProcessRecord;
  } catch (error) {
    // Replaced as a whole and never half-written: only a power loss empties it, and that ended the process too.
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Replaces `gateway.json`, by which an operator and the stop command find the process. */
export async function writeProcessRecord(stateDirectory: string, record: ProcessRecord): Promise<void> {
  const path = join(stateDirectory, "gateway.json");
  await replaceFile(nodeFileSystem, path, [Buffer.from(JSON.stringify(record))], 0o600);
}
