import { basename, dirname, join } from "node:path";
import type { FileSystem } from "./file-system.ts";

/** Names of temporary files begin with this; readers of a folder pass them by, and a crash may leave one. */
export const temporaryPrefix = ".bosun-tmp-";

/**
 * Replaces `path` so that every reader and every crash sees either the old content or all of the new: a temporary
 * file in the same folder, synced, renamed, and the folder synced.
 *
 * Two replacements of one path must not run at once. After an error the old content is in place, unless it was
 * the last step (syncing the folder) that failed.
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

/** The temporary file that a crash during `replaceFile` may leave. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `${temporaryPrefix}${basename(path)}`);
}
