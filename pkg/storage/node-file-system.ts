/** `FileSystem` on node:fs. */
import type { Stats } from "node:fs";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { dirname } from "node:path";
import type { AppendFile, DirectoryEntry, FileStat, FileSystem } from "./file-system.ts";

export const nodeFileSystem: FileSystem = {
  async create(path, mode) {
    const handle = await open(path, "ax", mode);
    try {
      await handle.chmod(mode);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return appendFile(handle);
  },

  read: (path) => orUndefined(readFile(path)),

  async stat(path): Promise<FileStat | undefined> {
    const found = await orUndefined(stat(path, { bigint: true }));
    if (found === undefined) return undefined;
    return {
      kind: kindOf(found),
      size: Number(found.size),
      mtimeNs: found.mtimeNs,
      ino: found.ino,
      mode: Number(found.mode) & 0o7777,
    };
  },

  realPath: async (path) => (await orUndefined(realpath(path))) ?? path,

  async list(directory) {
    const entries = await orUndefined(readdir(directory, { withFileTypes: true }));
    return entries
      ?.map((entry): DirectoryEntry => ({ name: entry.name, kind: kindOf(entry) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  },

  async makeDirectory(path, mode) {
    const first = await mkdir(path, { recursive: true, mode });
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made))
      await syncDirectory(dirname(made));
  },

  rename,
  remove: (path) => rm(path, { force: true }),
  syncDirectory,
};

function appendFile(handle: FileHandle): AppendFile {
  return {
    async write(bytes) {
      let written = 0;
      while (written < bytes.length) written += (await handle.write(bytes, written)).bytesWritten;
    },
    datasync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function kindOf(entry: Pick<Stats, "isFile" | "isDirectory">): FileStat["kind"] {
  return entry.isFile() ? "file" : entry.isDirectory() ? "directory" : "other";
}

async function orUndefined<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw error;
  }
}
