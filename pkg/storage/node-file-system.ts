/** `FileSystem` on node:fs. */
import * as blockingFs from "node:fs";
import * as nodeFs from "node:fs/promises";
import { dirname } from "node:path";
import {
  type BlockingFileCalls,
  codeOf,
  type FileCalls,
  type FoundEntry,
  type FoundStat,
  type OpenFile,
} from "./file-calls.ts";
import type { AppendFile, DirectoryEntry, FileStat, FileSystem } from "./file-system.ts";

/** How much of a file is in memory at once when it is read in pieces, in bytes. */
const pieceBytes = 1024 * 1024;

export const nodeFileSystem: FileSystem = fileSystemOn(nodeFs, blockingFs);

/**
 * @param calls - the operating system's; node:fs/promises, or a test's
 * @param blocking - the same, for what must not wait its turn
 */
export function fileSystemOn(
  calls: FileCalls,
  blocking: Pick<BlockingFileCalls, "readFileSync" | "renameSync" | "rmSync">,
): FileSystem {
  return {
    async create(path, mode) {
      const file = await calls.open(path, "ax", mode);
      return opened(file, () => file.chmod(mode));
    },

    async append(path, { mode, size }) {
      const file = await calls.open(path, "a", mode);
      return opened(file, async () => {
        await file.chmod(mode);
        await file.truncate(size);
      });
    },

    read: (path) => orUndefined(calls.readFile(path)),

    async *pieces(path) {
      const file = await orUndefined(calls.open(path, "r"));
      if (file === undefined) return;
      try {
        for (let position = 0; ; ) {
          // What of it is given out has been read into it.
          const piece = Buffer.allocUnsafe(pieceBytes);
          const { bytesRead } = await file.read(piece, 0, piece.length, position);
          if (bytesRead === 0) return;
          position += bytesRead;
          yield piece.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    },

    stat: async (path) => statOf(await orUndefined(calls.stat(path, { bigint: true }))),
    lstat: async (path) => statOf(await orUndefined(calls.lstat(path, { bigint: true }))),

    realPath: async (path) => (await orUndefined(calls.realpath(path))) ?? path,

    async list(directory) {
      const entries = await orUndefined(calls.readdir(directory, { withFileTypes: true }));
      return entries
        ?.map((entry): DirectoryEntry => ({ name: entry.name, kind: kindOf(entry) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },

    names: (directory) => orUndefined(calls.readdir(directory)),
    makeDirectory: (path, mode) => makeDirectory(calls, path, mode),
    rename: (from, to) => calls.rename(from, to),
    async replaceUnchanged(path, content, by) {
      if (textOf(blocking, path) !== content) return false;
      if (by === undefined) blocking.rmSync(path, { force: true });
      else blocking.renameSync(by, path);
      return true;
    },
    remove: (path) => calls.rm(path, { force: true }),
    syncDirectory: (directory) => withFile(calls, directory, "r", (folder) => folder.sync()),
    syncFile: (path) => withFile(calls, path, "r", (file) => file.datasync()),

    persist: (path, { from, to }) =>
      withFile(calls, path, "r+", async (file) => {
        // Every byte is read into it before one is written.
        const bytes = Buffer.allocUnsafe(to - from);
        let read = 0;
        while (read < bytes.length) {
          const { bytesRead } = await file.read(bytes, read, bytes.length - read, from + read);
          if (bytesRead === 0) throw new Error(`${path} has fewer than ${to} bytes.`);
          read += bytesRead;
        }
        await writeAll(file, bytes, from);
        await file.datasync();
      }),
  };
}

/** Each level is safe before the next is made, so that only the deepest that is there can be one that isn't. */
async function makeDirectory(calls: FileCalls, path: string, mode: number): Promise<void> {
  const parent = dirname(path);
  const isThere = (await orUndefined(calls.stat(path, { bigint: true }))) !== undefined;
  if (!isThere) {
    if (parent !== path) await makeDirectory(calls, parent, mode);
    await calls.mkdir(path, { mode }).catch((error: unknown) => {
      // Somebody else made it meanwhile.
      if (codeOf(error) !== "EEXIST") throw error;
    });
  }
  await withFile(calls, parent, "r", (folder) => folder.sync()).catch((error: unknown) => {
    // Who may not look into it hasn't made what is in it.
    if (!isThere || codeOf(error) !== "EACCES") throw error;
  });
}

/** `file` as one to append to, once `prepare` has succeeded; closed when it fails. */
async function opened(file: OpenFile, prepare: () => Promise<void>): Promise<AppendFile> {
  try {
    await prepare();
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    write: (bytes) => writeAll(file, bytes, null),
    datasync: () => file.datasync(),
    close: () => file.close(),
  };
}

async function writeAll(file: OpenFile, bytes: Uint8Array, position: number | null): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const at = position === null ? null : position + written;
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at);
    if (bytesWritten === 0) throw new Error(`A write ended after ${written} of ${bytes.length} bytes.`);
    written += bytesWritten;
  }
}

async function withFile(
  calls: FileCalls,
  path: string,
  flags: string,
  work: (file: OpenFile) => Promise<void>,
): Promise<void> {
  const file = await calls.open(path, flags);
  try {
    await work(file);
  } finally {
    await file.close();
  }
}

function statOf(found: FoundStat | undefined): FileStat | undefined {
  if (found === undefined) return undefined;
  return {
    kind: kindOf(found),
    size: Number(found.size),
    mtimeNs: found.mtimeNs,
    ino: found.ino,
    mode: Number(found.mode) & 0o7777,
  };
}

function kindOf(entry: Pick<FoundEntry, "isFile" | "isDirectory">): FileStat["kind"] {
  return entry.isFile() ? "file" : entry.isDirectory() ? "directory" : "other";
}

function textOf(calls: Pick<BlockingFileCalls, "readFileSync">, path: string): string | undefined {
  try {
    return calls.readFileSync(path).toString("utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

async function orUndefined<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
