/** Files that are on disk when a call returns: a session host may do nothing of what it announces before. */
import { randomUUID } from "node:crypto";
import * as nodeFs from "node:fs";
import { dirname } from "node:path";
import { type BlockingFileCalls, codeOf } from "../storage/file-calls.ts";

export interface ReplaceOptions {
  /**
   * What survives power loss once the call returns. `true`: the new text. `"Whole"`: the old text or the new one.
   * `false`: anything, half a text too; a crash of the process alone still leaves one of the two.
   */
  durable: boolean | "Whole";
  /** Permissions; 0o644 when left out. */
  mode?: number;
}

/**
 * Replaces a file whole: whoever reads sees the old text or the new one, never half of either. Beside it a
 * temporary file is written first, so the folder must be writable. After an error the old text is in place, unless
 * it was the last step, syncing the folder, that failed.
 */
export function replaceFile(
  path: string,
  text: string,
  { durable, mode = 0o644 }: ReplaceOptions,
  calls: BlockingFileCalls = nodeFs,
): void {
  // Not named for the process: in its namespace every host is process 1.
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = calls.openSync(temporary, "w", mode);
    try {
      writeAll(calls, file, Buffer.from(text), null);
      if (durable !== false) calls.fsyncSync(file);
    } finally {
      calls.closeSync(file);
    }
    calls.renameSync(temporary, path);
  } catch (error) {
    removeQuietly(calls, temporary);
    throw error;
  }
  if (durable === true) syncDirectory(dirname(path), calls);
}

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

function removeQuietly(calls: BlockingFileCalls, path: string): void {
  try {
    calls.rmSync(path, { force: true });
  } catch {
    // The disk again, which is told already. What is left takes a little space.
  }
}
