import { createHash, randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { codeOf } from "../storage/file-calls.ts";
import type { FileStat, FileSystem } from "../storage/file-system.ts";
import { nodeFileSystem } from "../storage/node-file-system.ts";
import { releasedPath } from "../system/latch-files.ts";
import type { LatchWatch } from "../system/latch-watch.ts";
import type { FollowedLatch, StopLatch } from "./stop-latch.ts";

/**
 * The latch as a file that says why. Hosts and the gateway watch it themselves, so that it holds without a living
 * operator. Released, it is renamed: so the operator that comes next knows which stop a person has ended. Whatever a
 * person put there is a latch as well: a folder, in which nothing is ever removed, a link that leads nowhere, a file that
 * may not be read.
 *
 * @param path - of the latch; whoever only creates an empty file there engages it
 */
export function fileStopLatch(path: string, fs: FileSystem = nodeFileSystem): StopLatch {
  const released = releasedPath(path);
  return {
    engaged: async () => (await foundAt(path, fs)) !== undefined,
    look: async () => ({ engaged: await nameOf(path, fs), released: await nameOf(released, fs) }),
    async engage(why, visible) {
      await fs.makeDirectory(dirname(path), 0o700);
      const inFolder = await isFolder(path, fs);
      // What is made in a folder touches it, and so makes it another stop.
      const temporary = inFolder ? join(path, randomUUID()) : `${path}.${randomUUID()}.new`;
      const file = await fs.create(temporary, 0o644);
      try {
        await file.write(Buffer.from(`${why}\n`)).catch(() => {
          // A full disk: an empty latch stops as well as one that says why.
        });
        // Before it can be seen: what is released from then on is this very stop.
        await clear(released, fs);
        // First it is there, then it is safe: an empty latch, should the machine lose power now, is one as well.
        if (!inFolder) await fs.rename(temporary, path);
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
      // A folder and a file can't replace each other.
      if ((await isFolder(path, fs)) || (await isFolder(released, fs))) await clear(released, fs);
      await fs.rename(path, released);
      // Touched since it was looked at: another stop was moved, and comes back.
      if (only !== undefined && (await nameOf(released, fs)) !== only) await fs.rename(released, path);
      await fs.syncDirectory(dirname(path));
    },
    async settle() {
      if ((await foundAt(released, fs)) === undefined) return;
      await clear(released, fs);
      await fs.syncDirectory(dirname(path));
    },
  };
}

async function isFolder(path: string, fs: FileSystem): Promise<boolean> {
  return (await fs.lstat(path))?.kind === "directory";
}

/** Of a link, what it leads to; the link itself where that can't be told. */
async function foundAt(path: string, fs: FileSystem): Promise<FileStat | undefined> {
  const found = await fs.lstat(path);
  if (found?.kind !== "other") return found;
  return (await fs.stat(path).catch(() => undefined)) ?? found;
}

/** Removes the file at `path`; a folder, which may hold what is a person's, gets another name. */
async function clear(path: string, fs: FileSystem): Promise<void> {
  if (await isFolder(path, fs)) await fs.rename(path, `${path}.${randomUUID()}`);
  else await fs.remove(path);
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
    const before = await foundAt(path, fs);
    if (before === undefined) return undefined;
    const content = before.kind === "file" ? await readIfAllowed(path, fs) : Buffer.of();
    const after = await foundAt(path, fs);
    // Released or engaged anew while it was read: half of each would be the name of a stop that never was.
    if (content === undefined || after?.mtimeNs !== before.mtimeNs) continue;
    return `${before.mtimeNs}-${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
  }
}

/** Nothing of a file that may not be read: it says a stop all the same. */
async function readIfAllowed(path: string, fs: FileSystem): Promise<Buffer | undefined> {
  try {
    return await fs.read(path);
  } catch (error) {
    if (codeOf(error) === "EACCES") return Buffer.of();
    throw error;
  }
}
