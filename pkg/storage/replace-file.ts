/**
 * The one way in which a file is replaced, so that every reader and every crash sees either the old content or all of
 * the new: a temporary file in the same folder, synced, renamed, and the folder synced.
 *
 * The temporary file is hidden, and its name is always the same for a path and a writer. So what a killed writer left is
 * no file to people and to readers of the folder, and is gone with the next replacement. Two replacements of one path
 * by one writer must not run at once: the second would take away what the first has written, which then fails or
 * puts an unfinished text in place. After an error the old content is in place, unless it was the last step, syncing
 * the folder, that failed.
 */
import * as nodeFs from "node:fs";
import { basename, dirname, join } from "node:path";
import { syncDirectory, writeAll } from "./blocking-files.ts";
import type { BlockingFileCalls } from "./file-calls.ts";
import type { FileSystem } from "./file-system.ts";

/** Names of temporary files begin with this; readers of a folder pass them by, and a crash may leave one. */
export const temporaryPrefix = ".bosun-tmp-";

/**
 * Replaces `path` as above.
 *
 * @param options.over - what the file must still say when it is replaced (undefined: it must not be there); absent: anything
 * @returns whether it was replaced
 */
export async function replaceFile(
  fs: FileSystem,
  path: string,
  content: Iterable<Uint8Array>,
  mode: number,
  options: { over?: string | undefined } = {},
): Promise<boolean> {
  const temporary = temporaryPath(path);
  await fs.remove(temporary);
  try {
    await writeSynced(fs, temporary, content, mode);
    if (!("over" in options)) await fs.rename(temporary, path);
    else if (!(await fs.replaceUnchanged(path, options.over, temporary))) {
      await fs.remove(temporary);
      return false;
    }
  } catch (error) {
    await fs.remove(temporary).catch(() => {
      // The disk again, which is told already. The next replacement removes it.
    });
    throw error;
  }
  await fs.syncDirectory(dirname(path));
  return true;
}

export interface ReplaceSyncOptions {
  /** Whether the new text survives power loss once the call returns; else that leaves it or the old one. */
  durable: boolean;
  /** Permissions, less the umask; 0o644 when left out. */
  mode?: number;
  /** Who writes, where more than one may replace the file at a time. */
  writer?: string;
}

/** The same, blocking: for a process that may do nothing else until it is written down. */
export function replaceFileSync(
  path: string,
  text: string,
  { durable, mode = 0o644, writer }: ReplaceSyncOptions,
  calls: BlockingFileCalls = nodeFs,
): void {
  const temporary = temporaryPath(path, writer);
  calls.rmSync(temporary, { force: true });
  try {
    createFileSync(temporary, text, mode, calls);
    calls.renameSync(temporary, path);
  } catch (error) {
    try {
      calls.rmSync(temporary, { force: true });
    } catch {
      // The disk again, which is told already. The next replacement removes it.
    }
    throw error;
  }
  if (durable) syncDirectory(dirname(path), calls);
}

async function writeSynced(
  fs: FileSystem,
  path: string,
  content: Iterable<Uint8Array>,
  mode: number,
): Promise<void> {
  const file = await fs.create(path, mode);
  try {
    for (const bytes of content) await file.write(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/**
 * Makes a file that must not be there, blocking. What it holds is on disk then; that it is there need not be.
 *
 * @param mode - permissions, less the umask
 */
export function createFileSync(
  path: string,
  text: string,
  mode: number,
  calls: BlockingFileCalls = nodeFs,
): void {
  const file = calls.openSync(path, "ax", mode);
  try {
    writeAll(calls, file, Buffer.from(text), null);
    calls.fdatasyncSync(file);
  } finally {
    calls.closeSync(file);
  }
}

/** The temporary file that a crash during a replacement may leave. */
export function temporaryPath(path: string, writer?: string): string {
  const by = writer === undefined ? "" : `${writer}-`;
  return join(dirname(path), `${temporaryPrefix}${by}${basename(path)}`);
}
