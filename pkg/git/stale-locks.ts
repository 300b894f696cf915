import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Git holds a ref's lock for milliseconds. */
const staleMs = 10_000;

/** The operator's own, in the order in which they are removed. */
const ownRefs = [
  { folder: "refs/heads", pattern: /^(agent-\d+|rehearsal)\/.*\.lock$/ },
  { folder: "refs/bosun", pattern: /\.lock$/ },
];

/**
 * Removes locks that a killed git left on the operator's own refs. Others are left alone: they may be the person's.
 *
 * That git may be suspended instead, in a container that is paused. Without its locks it can't end its transaction, so
 * those of the branches go first, then those of the refs that it verified.
 *
 * @param now - wall time in milliseconds
 */
export async function removeStaleLocks(gitDirectory: string, now: number): Promise<void> {
  for (const { folder, pattern } of ownRefs) {
    const place = join(gitDirectory, folder);
    const names = await readdir(place, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    for (const name of names.filter((path) => pattern.test(path))) {
      const file = join(place, name);
      // One that is gone by now was held by a git that lives.
      const held = await stat(file).catch(() => undefined);
      if (held !== undefined && now - held.mtimeMs > staleMs) await rm(file, { force: true });
    }
  }
}
