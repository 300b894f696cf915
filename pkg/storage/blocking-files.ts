/** What is on disk when a call returns: a session host may do nothing of what it announces before. */
import * as nodeFs from "node:fs";
import { dirname } from "node:path";
import { type BlockingFileCalls, codeOf } from "./file-calls.ts";

/** Removes a file, also after power loss; a missing one is fine. */
export function removeFile(path: string, calls: BlockingFileCalls = nodeFs): void {
  if (readIfPresent(path, calls) === undefined) return;
  calls.rmSync(path, { force: true });
  syncDirectory(dirname(path), calls);
}

/**
 * Makes a folder and its parents, also after power loss, those included that an earlier process made and didn't sync.
 * One that is there stays as it is.
 */
export function makeDirectory(path: string, mode: number, calls: BlockingFileCalls = nodeFs): void {
  const parent = dirname(path);
  const isThere = calls.existsSync(path);
  if (!isThere) {
    if (parent !== path) makeDirectory(parent, mode, calls);
    try {
      calls.mkdirSync(path, { mode });
    } catch (error) {
      // Somebody else made it meanwhile.
      if (codeOf(error) !== "EEXIST") throw error;
    }
  }
  try {
    syncDirectory(parent, calls);
  } catch (error) {
    // Who may not look into it hasn't made what is in it.
    if (!isThere || codeOf(error) !== "EACCES") throw error;
  }
}

/** Makes created, renamed and removed entries of a folder survive power loss. */
export function syncDirectory(path: string, calls: BlockingFileCalls = nodeFs): void {
  const directory = calls.openSync(path, "r");
  try {
    calls.fsyncSync(directory);
  } finally {
    calls.closeSync(directory);
  }
}

/** Writes all of `bytes`, at the end where `position` is null. A system may take them in several turns. */
export function writeAll(
  calls: BlockingFileCalls,
  file: number,
  bytes: Uint8Array,
  position: number | null,
): void {
  let written = 0;
  while (written < bytes.length) {
    const at = position === null ? null : position + written;
    const taken = calls.writeSync(file, bytes, written, bytes.length - written, at);
    if (taken === 0) throw new Error(`A write ended after ${written} of ${bytes.length} bytes.`);
    written += taken;
  }
}

/** The text of a file, or undefined where there is none. Other failures are thrown: unknown is not absent. */
export function readIfPresent(path: string, calls: BlockingFileCalls = nodeFs): string | undefined {
  try {
    return calls.readFileSync(path).toString("utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
