import { createHash, randomUUID } from "node:crypto";
import { dirname } from "node:path";
import type { FileSystem } from "../storage/file-system.ts";
import { nodeFileSystem } from "../storage/node-file-system.ts";
import { releasedPath } from "../system/latch-files.ts";
import type { LatchWatch } from "../system/latch-watch.ts";
import type { FollowedLatch, StopLatch } from "./stop-latch.ts";

/**
 * The latch as a file that says why. Hosts and the gateway watch it themselves, so that it holds without a living
 * operator. Released, it is renamed: so the operator that comes next knows which stop a person has ended.
 *
 * @param path - of the latch; whoever only creates an empty file there engages it
 */
export function fileStopLatch(path: string, fs: FileSystem = nodeFileSystem): StopLatch {
  const released = releasedPath(path);
  return {
    engaged: async () => (await fs.stat(path)) !== undefined,
    look: async () => ({ engaged: await nameOf(path, fs), released: await nameOf(released, fs) }),
    async engage(why, visible) {
      await fs.makeDirectory(dirname(path), 0o700);
      const temporary = `${path}.${randomUUID()}.new`;
      const file = await fs.create(temporary, 0o644);
      try {
        await file.write(Buffer.from(`${why}\n`)).catch(() => {
          // A full disk: an empty latch stops as well as one that says why.
        });
        // Before it can be seen: what is released from then on is this very stop.
        await fs.remove(released);
        // First it is there, then it is safe: an empty latch, should the machine lose power now, is one as well.
        await fs.rename(temporary, path);
        visible?.();
        await file.datasync();
      } finally {
        await file.close();
      }
      await fs.syncDirectory(dirname(path));
    },
    async release(only) {
      const name = await nameOf(path, fs);
      if (name === undefined || (only !== undefined && name !== only)) return;
      await fs.rename(path, released);
      // Touched since it was looked at: another stop was moved, and comes back.
      if (only !== undefined && (await nameOf(released, fs)) !== only) await fs.rename(released, path);
      await fs.syncDirectory(dirname(path));
    },
    async settle() {
      if ((await fs.stat(released)) === undefined) return;
      await fs.remove(released);
      await fs.syncDirectory(dirname(path));
    },
  };
}

/** The latch of `watch`, from which its changes are heard. */
export function followedLatch(watch: LatchWatch): FollowedLatch {
  return {
    ...fileStopLatch(watch.path),
    subscribe(wake, signal) {
      watch.follow(({ hasChanged }) => {
        if (hasChanged) wake();
      }, signal);
    },
  };
}

/** By what it says and when it was last touched, both of one file. Undefined where there is no such file. */
async function nameOf(path: string, fs: FileSystem): Promise<string | undefined> {
  for (;;) {
    const before = await fs.stat(path);
    if (before === undefined) return undefined;
    const content = before.kind === "file" ? await fs.read(path) : Buffer.of();
    const after = await fs.stat(path);
    // Released or engaged anew while it was read: half of each would be the name of a stop that never was.
    if (content === undefined || after?.mtimeNs !== before.mtimeNs) continue;
    return `${before.mtimeNs}-${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
  }
}
