/**
 * A disk in memory that crashes. Every operation is a step; at the chosen step it fails, and all later ones do. What
 * a crash leaves is then drawn at random from what a real disk may leave: unsynced bytes kept, lost, torn or zero;
 * creations, renames and removals undone, each by itself, when their folder wasn't synced.
 */
import { basename, dirname } from "node:path";
import type { Random } from "../../runtime/clock.ts";
import type { AppendFile, FileSystem } from "../file-system.ts";

interface Inode {
  ino: bigint;
  mode: number;
  mtimeNs: bigint;
  data: Buffer;
  syncedSize: number;
}

interface Folder {
  entries: Map<string, Inode>;
  synced: Map<string, Inode>;
  /** Since the last sync, in order. */
  pending: ((entries: Map<string, Inode>) => void)[];
}

export interface CrashFileSystem extends FileSystem {
  /** Steps taken so far. */
  readonly steps: number;
  /** Makes the operation after `steps` more fail, and all after it. */
  crashAfter(steps: number): void;
  /** A disk as a crash at this moment may leave it. */
  afterCrash(random: Random): CrashFileSystem;
  /** Puts a whole, synced file there, as a person would. */
  put(path: string, content: string | Uint8Array, mode?: number): void;
}

export class CrashError extends Error {
  override readonly name = "CrashError";
}

export function crashFileSystem(
  start: ReadonlyMap<string, ReadonlyMap<string, Inode>> = new Map(),
): CrashFileSystem {
  const folders = new Map<string, Folder>();
  let steps = 0;
  let crashAt = Number.POSITIVE_INFINITY;
  let inodes = 1n;
  for (const [path, entries] of start) {
    folders.set(path, { entries: new Map(entries), synced: new Map(entries), pending: [] });
    for (const { ino } of entries.values()) if (ino >= inodes) inodes = ino + 1n;
  }

  function step(): void {
    if (steps >= crashAt) throw new CrashError(`The disk crashed at step ${steps}.`);
    steps += 1;
  }

  function folder(path: string): Folder {
    const found = folders.get(path);
    if (found === undefined) throw errorWithCode("ENOENT", path);
    return found;
  }

  function change(path: string, operation: (entries: Map<string, Inode>) => void): void {
    const { entries, pending } = folder(path);
    operation(entries);
    pending.push(operation);
  }

  function addFolder(path: string): void {
    if (folders.has(path)) return;
    if (dirname(path) !== path) addFolder(dirname(path));
    folders.set(path, { entries: new Map(), synced: new Map(), pending: [] });
  }

  function newInode(mode: number, data: Buffer): Inode {
    inodes += 1n;
    return { ino: inodes, mode, mtimeNs: BigInt(steps), data, syncedSize: 0 };
  }

  return {
    get steps() {
      return steps;
    },
    crashAfter(more) {
      crashAt = steps + more;
    },
    afterCrash: (random) => crashFileSystem(survivors(folders, random)),
    put(path, content, mode = 0o644) {
      addFolder(dirname(path));
      const inode = newInode(mode, Buffer.from(content));
      inode.syncedSize = inode.data.length;
      folder(dirname(path)).entries.set(basename(path), inode);
      folder(dirname(path)).synced.set(basename(path), inode);
    },

    async create(path, mode): Promise<AppendFile> {
      step();
      if (folder(dirname(path)).entries.has(basename(path))) throw errorWithCode("EEXIST", path);
      const inode = newInode(mode, Buffer.alloc(0));
      change(dirname(path), (entries) => entries.set(basename(path), inode));
      return {
        async write(bytes) {
          step();
          inode.data = Buffer.concat([inode.data, bytes]);
          inode.mtimeNs = BigInt(steps);
        },
        async datasync() {
          step();
          inode.syncedSize = inode.data.length;
        },
        async close() {},
      };
    },
    async read(path) {
      step();
      const inode = folders.get(dirname(path))?.entries.get(basename(path));
      return inode === undefined ? undefined : Buffer.from(inode.data);
    },
    async stat(path) {
      step();
      if (folders.has(path)) return { kind: "directory", size: 0, mtimeNs: 0n, ino: 0n, mode: 0o755 };
      const inode = folders.get(dirname(path))?.entries.get(basename(path));
      if (inode === undefined) return undefined;
      return {
        kind: "file",
        size: inode.data.length,
        mtimeNs: inode.mtimeNs,
        ino: inode.ino,
        mode: inode.mode,
      };
    },
    async realPath(path) {
      step();
      return path;
    },
    async list(path) {
      step();
      const found = folders.get(path);
      if (found === undefined) return undefined;
      const below = [...folders.keys()].filter((other) => dirname(other) === path && other !== path);
      return [
        ...[...found.entries.keys()].map((name) => ({ name, kind: "file" as const })),
        ...below.map((other) => ({ name: basename(other), kind: "directory" as const })),
      ].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async makeDirectory(path) {
      step();
      addFolder(path);
    },
    async rename(from, to) {
      step();
      const inode = folder(dirname(from)).entries.get(basename(from));
      if (inode === undefined) throw errorWithCode("ENOENT", from);
      change(dirname(from), (entries) => {
        entries.delete(basename(from));
        entries.set(basename(to), inode);
      });
    },
    async remove(path) {
      step();
      if (folders.get(dirname(path))?.entries.has(basename(path)) !== true) return;
      change(dirname(path), (entries) => entries.delete(basename(path)));
    },
    async syncDirectory(path) {
      step();
      const synced = folder(path);
      synced.synced = new Map(synced.entries);
      synced.pending = [];
    },
  };
}

function survivors(folders: ReadonlyMap<string, Folder>, random: Random): Map<string, Map<string, Inode>> {
  const left = new Map<string, Map<string, Inode>>();
  for (const [path, { synced, pending }] of folders) {
    const entries = new Map(synced);
    for (const operation of pending) if (random.next() < 0.5) operation(entries);
    for (const [name, inode] of entries) {
      const data = tear(inode, random);
      entries.set(name, { ...inode, data, syncedSize: data.length });
    }
    left.set(path, entries);
  }
  return left;
}

/** The synced bytes, and of the others some beginning, in which any stretch may be zero. */
function tear({ data, syncedSize }: Inode, random: Random): Buffer {
  const unsynced = data.length - syncedSize;
  const kept = random.next() < 0.3 ? unsynced : Math.floor(random.next() * (unsynced + 1));
  const left = Buffer.from(data.subarray(0, syncedSize + kept));
  if (random.next() < 0.5) {
    const from = syncedSize + Math.floor(random.next() * kept);
    left.fill(0, from, from + Math.ceil(random.next() * (left.length - from)));
  }
  return left;
}

/** Chance that one number replays. @see mulberry32, Tommy Ettinger */
export function seeded(seed: number): Random {
  let state = seed;
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

function errorWithCode(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
