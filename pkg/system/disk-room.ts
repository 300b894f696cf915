/** How much a disk still takes. */
import { randomBytes } from "node:crypto";
import { existsSync, statfsSync } from "node:fs";
import { open, unlink } from "node:fs/promises";
import path from "node:path";

export interface DiskRoom {
  bytes: number;
  /** How many more files can be made; infinite on a file system that does not count them. */
  files: number;
}

/** Written at once while a disk is tried, in bytes. */
const pieceBytes = 1_000_000;

/**
 * What the disk of `folder` says is left for who is not its administrator.
 *
 * @param folder - absolute; where it is missing, the next one above it that is there
 */
export function roomIn(folder: string): DiskRoom {
  const { bsize, bavail, files, ffree } = statfsSync(existing(folder));
  return { bytes: bavail * bsize, files: files === 0 ? Number.POSITIVE_INFINITY : ffree };
}

/**
 * Whether there is room to write `bytes` beneath `folder` and to sync them now. It is tried, since a quota, a thin volume or a folder
 * mounted over another may refuse what `roomIn` promises. Nothing is left behind, not even by a process that is killed.
 */
export async function takesBytes(folder: string, bytes: number): Promise<boolean> {
  const name = path.join(existing(folder), ".bosun-room");
  try {
    const file = await open(name, "w", 0o600);
    try {
      // Its bytes go when it is closed, by whatever end of this process.
      await unlink(name);
      // No zeros, which some file systems keep for nothing.
      const piece = randomBytes(Math.min(bytes, pieceBytes));
      for (let written = 0; written < bytes; ) written += (await file.write(piece)).bytesWritten;
      await file.sync();
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Whatever else is wrong there is no matter of room: who needs the folder says so.
    return code !== "ENOSPC" && code !== "EDQUOT";
  }
}

function existing(folder: string): string {
  for (let found = folder; ; found = path.dirname(found)) {
    if (existsSync(found) || found === path.dirname(found)) return found;
  }
}
