/** What is on a disk in memory: as readers see it, and as the medium has it. */
import { basename, dirname } from "node:path";
import type { Random } from "../../runtime/clock.ts";

export interface FileNode {
  is: "file";
  ino: bigint;
  mode: number;
  mtimeNs: bigint;
  /** What readers see. Never changed in place. */
  data: Buffer;
  /** Where `data` lies, with room to grow: a ledger is appended to a thousand times. */
  room?: { bytes: Buffer; used: number };
  /** What is on the medium. */
  stored: Buffer;
  /** Where the bytes begin that the system holds to be written still, and where they end; behind these it holds none to be. */
  dirtyFrom: number;
  dirtyTo: number;
}

export interface FolderNode {
  is: "folder";
  ino: bigint;
  mode: number;
  entries: Map<string, Entry>;
  synced: Map<string, Entry>;
  /** Since the last sync, in order. */
  pending: ((entries: Map<string, Entry>) => void)[];
}

export type Entry = FileNode | FolderNode;

export function newFile(ino: bigint, mode: number, mtimeNs: bigint): FileNode {
  const nothing = Buffer.alloc(0);
  return { is: "file", ino, mode, mtimeNs, data: nothing, stored: nothing, dirtyFrom: 0, dirtyTo: 0 };
}

export function newFolder(ino: bigint, mode: number): FolderNode {
  return { is: "folder", ino, mode, entries: new Map(), synced: new Map(), pending: [] };
}

/** What readers see of `file` from now on: `bytes` stand at `at`. */
export function writeInto(file: FileNode, bytes: Uint8Array, at: number): void {
  const { data, room } = file;
  const end = Math.max(data.length, at + bytes.length);
  // Nobody else has seen what lies behind: it is written there without moving the rest.
  const fits = room !== undefined && room.used === data.length && at === data.length;
  if (fits && end <= room.bytes.length) {
    room.bytes.set(bytes, at);
    room.used = end;
    file.data = room.bytes.subarray(0, end);
    return;
  }
  // Most files are written once; what grows has room for as much again. Nobody sees what lies behind the end.
  const moved = Buffer.allocUnsafe(data.length === 0 ? end : 2 * end);
  data.copy(moved);
  if (at > data.length) moved.fill(0, data.length, at);
  moved.set(bytes, at);
  file.room = { bytes: moved, used: end };
  file.data = moved.subarray(0, end);
}

/** A sync: what readers see of what was dirty is on the medium, and beside it what it had. */
export function store(file: FileNode, { dirtyFrom, dirtyTo }: Pick<FileNode, "dirtyFrom" | "dirtyTo">): void {
  const { data, stored } = file;
  const kept = Math.min(dirtyFrom, data.length);
  const isSame =
    (stored.buffer === data.buffer && stored.byteOffset === data.byteOffset) ||
    stored.subarray(0, kept).equals(data.subarray(0, kept));
  const isAll = dirtyTo >= data.length && isSame && stored.length >= kept;
  file.stored = isAll ? data : written(file, { dirtyFrom, dirtyTo });
}

/** What would be on the medium if all that is dirty were written. */
function written(
  { data, stored }: FileNode,
  { dirtyFrom, dirtyTo }: Pick<FileNode, "dirtyFrom" | "dirtyTo">,
): Buffer {
  const bytes = Buffer.alloc(data.length);
  stored.copy(bytes);
  data.copy(bytes, dirtyFrom, dirtyFrom, dirtyTo);
  return bytes;
}

export function putFolder(root: FolderNode, path: string, newInode: () => bigint): FolderNode {
  if (path === "/") return root;
  const parent = putFolder(root, dirname(path), newInode);
  const found = parent.entries.get(basename(path));
  const folder = found?.is === "folder" ? found : newFolder(newInode(), 0o755);
  parent.entries.set(basename(path), folder);
  parent.synced.set(basename(path), folder);
  return folder;
}

export function* everyNode(node: Entry): Generator<Entry> {
  yield node;
  if (node.is === "folder") for (const below of node.entries.values()) yield* everyNode(below);
}

export function asFile(node: Entry): FileNode {
  if (node.is === "folder") throw errorWithCode("EISDIR", "a folder");
  return node;
}

export function kindOf({ is }: Entry): { isFile(): boolean; isDirectory(): boolean } {
  return { isFile: () => is === "file", isDirectory: () => is === "folder" };
}

/** The same node gives the same copy, so that what is pending speaks of what is there. */
export function copyOf(node: Entry, copies: Map<Entry, Entry>): Entry {
  const known = copies.get(node);
  if (known !== undefined) return known;
  if (node.is === "file") {
    const copy = { ...node };
    copies.set(node, copy);
    return copy;
  }
  const copy = newFolder(node.ino, node.mode);
  copies.set(node, copy);
  const copied = (entries: Map<string, Entry>): [string, Entry][] =>
    [...entries].map(([name, entry]) => [name, copyOf(entry, copies)]);
  copy.entries = new Map(copied(node.entries));
  copy.synced = new Map(copied(node.synced));
  copy.pending = node.pending.map((operation) => (entries) => {
    // The operation knows the nodes of its time.
    const before = new Map(entries);
    operation(entries);
    for (const [name, entry] of entries)
      if (before.get(name) !== entry) entries.set(name, copyOf(entry, copies));
  });
  return copy;
}

export function survivorOf(node: Entry, random: Random): Entry {
  if (node.is === "file") {
    const data = tear(node, random);
    const { room: _, ...kept } = node;
    return { ...kept, data, stored: data, dirtyFrom: data.length, dirtyTo: 0 };
  }
  const entries = new Map(node.synced);
  for (const operation of node.pending) if (random.next() < 0.5) operation(entries);
  const left = newFolder(node.ino, node.mode);
  for (const [name, entry] of entries) {
    const survivor = survivorOf(entry, random);
    left.entries.set(name, survivor);
    left.synced.set(name, survivor);
  }
  return left;
}

/**
 * What is stored, and of what was to be written some beginning, in which any stretch may be zero, or what stood there
 * before.
 */
function tear(node: FileNode, random: Random): Buffer {
  const { stored, dirtyFrom, dirtyTo } = node;
  if (dirtyFrom >= node.data.length && dirtyFrom >= stored.length) return Buffer.from(stored);
  const data = dirtyTo < node.data.length ? written(node, node) : node.data;
  if (random.next() < 0.2) return Buffer.from(stored);
  const unsynced = data.length - dirtyFrom;
  const kept = random.next() < 0.3 ? unsynced : Math.floor(random.next() * (unsynced + 1));
  const left = Buffer.alloc(dirtyFrom + kept);
  stored.copy(left, 0, 0, dirtyFrom);
  data.copy(left, dirtyFrom, dirtyFrom, dirtyFrom + kept);
  if (random.next() < 0.5) {
    const from = dirtyFrom + Math.floor(random.next() * kept);
    const to = from + Math.ceil(random.next() * (left.length - from));
    left.fill(0, from, to);
    left.set(stored.subarray(from, Math.max(from, Math.min(to, stored.length))), from);
  }
  // Bytes that were written over in place are what they were or what they are.
  const isOverwritten = stored.length > left.length && data.length >= stored.length;
  return isOverwritten ? Buffer.concat([left, stored.subarray(left.length)]) : left;
}

export function errorWithCode(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
