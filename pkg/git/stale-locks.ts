import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Git holds a ref's lock for milliseconds. */
const staleMs = 10_000;

/**
 * Removes locks that a killed git left on the operator's own refs. Others are left alone: they may be the person's.
 *
 * @param now - wall time in milliseconds
 */
export async function removeStaleLocks(gitDirectory: string, now: number): Promise<void> {
  const folder = join(gitDirectory, "refs", "bosun");
  const names = await readdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  for (const name of names.filter((path) => path.endsWith(".lock"))) {
    const file = join(folder, name);
    // One that is gone by now was held by a git that lives.
    const held = await stat(file).catch(() => undefined);
    if (held !== undefined && now - held.mtimeMs > staleMs) await rm(file, { force: true });
  }
}
