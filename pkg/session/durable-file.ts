import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Replaces a file whole: whoever reads sees the old text or the new one, never half of either. Beside it a
 * temporary file is written first, so the folder must be writable.
 *
 * @param options.durable - also survives power loss once this returns; without it, a crash of the process
 * @param options.mode - permissions; 0o644 when left out
 */
export function replaceFile(path: string, text: string, options: { durable: boolean; mode?: number }): void {
  // Not named for the process: in its namespace every host is process 1.
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = openSync(temporary, "w", options.mode ?? 0o644);
  try {
    writeFileSync(file, text);
    if (options.durable) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  if (options.durable) syncDirectory(dirname(path));
}

/** Makes created, renamed and removed entries of a folder survive power loss. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** The text of a file, or undefined where there is none. Other failures are thrown: unknown is not absent. */
export function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
