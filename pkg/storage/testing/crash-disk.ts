/**
 * A disk in memory that fails and crashes, beneath the calls of the operating system. Every call is a step. At a chosen
 * step it can fail as real disks fail, once or from then on; or the machine crashes there. What a crash leaves is drawn
 * at random from what a real disk may leave: unsynced bytes kept, lost, torn or zero; creations, renames and removals
 * undone, each by itself, when their folder wasn't synced. A process that ends leaves all that it wrote, synced or not.
 */
import { basename, dirname } from "node:path";
import type { Random } from "../../runtime/clock.ts";
import type { BlockingFileCalls, FileCalls, FoundEntry, FoundStat, OpenFile } from "../file-calls.ts";
import {
  asFile,
  copyOf,
  type Entry,
  errorWithCode,
  everyNode,
  type FileNode,
  type FolderNode,
  kindOf,
  newFile,
  newFolder,
  putFolder,
  store,
  survivorOf,
  writeInto,
} from "./disk-nodes.ts";

export type ErrorCode = "ENOSPC" | "EIO" | "EACCES" | "EMFILE";

export interface Fault {
  /** `Short`: a write takes fewer bytes than it is given, and no error follows. */
  code: ErrorCode | "Short";
  /** Whether every later call of the kind fails too, as on a full disk. */
  lasting: boolean;
}

export interface CrashDisk {
  readonly calls: FileCalls;
  readonly blockingCalls: BlockingFileCalls;
  /** The calls made so far, in order. */
  readonly made: readonly Call[];
  /** Makes the call after `steps` more fail, and all after it: the machine is gone. */
  crashAfter(steps: number): void;
  /** Makes the call after `steps` more fail in this way. */
  failAfter(steps: number, fault: Fault): void;
  /** Whether a fault has come about. */
  readonly hasFailed: boolean;
  /** How many files and folders are open. */
  readonly open: number;
  /** The disk is well again: there is space, the cable is back. What a failed sync lost stays lost. */
  mend(): void;
  /** The disk as a power loss at this moment may leave it. */
  afterCrash(random: Random): CrashDisk;
  /** The disk as the next process finds it when this one ends now. */
  afterKill(): CrashDisk;
  /** Puts a whole, synced file there. */
  put(path: string, content: string | Uint8Array, mode?: number): void;
  /** Saves a file as an editor does: a whole new one in the place of the old one, and nothing is synced. */
  save(path: string, content: string): void;
}

export type Call =
  | "create"
  | "open"
  | "write"
  | "read"
  | "truncate"
  | "chmod"
  | "sync"
  | "syncFolder"
  | "close"
  | "readFile"
  | "readdir"
  | "stat"
  | "realpath"
  | "mkdir"
  | "rename"
  | "rm";

/** How each call can fail. */
export const faultsOf: Readonly<Record<Call, readonly Fault["code"][]>> = {
  create: ["ENOSPC", "EIO", "EACCES", "EMFILE"],
  open: ["EIO", "EACCES", "EMFILE"],
  write: ["ENOSPC", "EIO", "Short"],
  read: ["EIO"],
  truncate: ["EIO"],
  chmod: ["EIO", "EACCES"],
  sync: ["ENOSPC", "EIO"],
  syncFolder: ["EIO"],
  close: ["EIO"],
  readFile: ["EIO", "EACCES", "EMFILE"],
  readdir: ["EIO", "EACCES", "EMFILE"],
  stat: ["EIO", "EACCES"],
  realpath: ["EIO", "EACCES"],
  mkdir: ["ENOSPC", "EIO", "EACCES"],
  rename: ["ENOSPC", "EIO", "EACCES"],
  rm: ["EIO", "EACCES"],
};

export class CrashError extends Error {
  override readonly name = "CrashError";
}

/** Of a write that fails or falls short, so much gets in. */
const shareOfWrite = 0.6;

export function crashDisk(root: FolderNode = newFolder(1n, 0o755)): CrashDisk {
  const made: Call[] = [];
  const handles = new Map<number, Entry>();
  let crashAt = Number.POSITIVE_INFINITY;
  let fault: (Fault & { at: number }) | undefined;
  let hasFailed = false;
  /** A write that fails tells first how much got in, then why no more does. */
  let failNextWrite: ErrorCode | undefined;
  let inodes = [...everyNode(root)].reduce((max, { ino }) => (ino > max ? ino : max), 1n);
  let handleNumbers = 100;
  let opened = 0;

  /** The fault that the call meets, if any. */
  function step(call: Call, path: string): Fault | undefined {
    const at = made.length;
    if (at >= crashAt) throw new CrashError(`The disk crashed at step ${at}.`);
    made.push(call);
    if (fault === undefined || at < fault.at || (at > fault.at && !fault.lasting)) return undefined;
    if (!faultsOf[call].includes(fault.code)) return undefined;
    hasFailed = true;
    if (call === "write" || call === "sync") return fault;
    if (fault.code === "Short") return undefined;
    throw errorWithCode(fault.code, `${call} ${path}`);
  }

  function find(path: string): Entry | undefined {
    let found: Entry | undefined = root;
    // Asked for with each call: names are cut out where they are, since dirname and basename look at every character.
    for (let from = 1; from < path.length; ) {
      const next = path.indexOf("/", from);
      const to = next < 0 ? path.length : next;
      found = found.is === "folder" ? found.entries.get(path.slice(from, to)) : undefined;
      if (found === undefined) return undefined;
      from = to + 1;
    }
    return found;
  }

  function folderAt(path: string): FolderNode {
    const found = find(path);
    if (found?.is !== "folder") throw errorWithCode(found === undefined ? "ENOENT" : "ENOTDIR", path);
    return found;
  }

  function change(path: string, operation: (entries: Map<string, Entry>) => void): void {
    const { entries, pending } = folderAt(path);
    operation(entries);
    pending.push(operation);
  }

  function newInode(): bigint {
    inodes += 1n;
    return inodes;
  }

  function open(path: string, flags: string, mode = 0o666): Entry {
    const found = find(path);
    const isCreated = found === undefined && flags !== "r" && flags !== "r+";
    step(isCreated ? "create" : "open", path);
    if (flags.includes("x") && found !== undefined) throw errorWithCode("EEXIST", path);
    if (found === undefined && !isCreated) throw errorWithCode("ENOENT", path);
    if (found?.is === "folder" && flags !== "r") throw errorWithCode("EISDIR", path);
    opened += 1;
    if (found === undefined) {
      const node = newFile(newInode(), mode & ~0o022, BigInt(made.length));
      change(dirname(path), (entries) => entries.set(basename(path), node));
      return node;
    }
    if (flags.startsWith("w") && found.is === "file") truncate(found, 0);
    return found;
  }

  function write(node: Entry, bytes: Uint8Array, position: number | null): number {
    const file = asFile(node);
    const failing = failNextWrite;
    failNextWrite = undefined;
    const met = step("write", "");
    if (failing !== undefined) throw errorWithCode(failing, "write");
    const taken = met === undefined ? bytes.length : Math.ceil(bytes.length * shareOfWrite);
    if (met !== undefined && met.code !== "Short") {
      failNextWrite = met.code;
    }
    const at = position ?? file.data.length;
    writeInto(file, bytes.subarray(0, taken), at);
    file.dirtyFrom = Math.min(file.dirtyFrom, at);
    file.dirtyTo = Math.max(file.dirtyTo, at + taken);
    file.mtimeNs = BigInt(made.length);
    return taken;
  }

  function truncate(file: FileNode, size: number): void {
    const data = Buffer.alloc(size);
    file.data.copy(data, 0, 0, size);
    file.dirtyFrom = Math.min(file.dirtyFrom, size, file.data.length);
    if (size > file.data.length) file.dirtyTo = Math.max(file.dirtyTo, size);
    file.data = data;
    delete file.room;
    file.mtimeNs = BigInt(made.length);
  }

  function sync(node: Entry): void {
    if (node.is === "folder") {
      step("syncFolder", "");
      node.synced = new Map(node.entries);
      node.pending = [];
      return;
    }
    const met = step("sync", "");
    const { data, dirtyFrom, dirtyTo } = node;
    node.dirtyFrom = data.length;
    node.dirtyTo = 0;
    // What could not be written is held to be written from now on: the next sync has nothing to do and succeeds.
    if (met !== undefined) throw errorWithCode(met.code, "fdatasync");
    store(node, { dirtyFrom, dirtyTo });
  }

  function read(node: Entry, into: Uint8Array, offset: number, length: number, position: number): number {
    step("read", "");
    return asFile(node).data.copy(into, offset, position, position + length);
  }

  function readFile(path: string): Buffer {
    step("readFile", path);
    const found = find(path);
    if (found === undefined) throw errorWithCode("ENOENT", path);
    return Buffer.from(asFile(found).data);
  }

  function readdir(path: string): Promise<string[]>;
  function readdir(path: string, options: { withFileTypes: true }): Promise<FoundEntry[]>;
  async function readdir(path: string, options?: { withFileTypes: true }): Promise<string[] | FoundEntry[]> {
    step("readdir", path);
    const { entries } = folderAt(path);
    // In no order that anybody may count on.
    if (options === undefined) return [...entries.keys()].reverse();
    return [...entries].reverse().map(([name, entry]) => ({ name, ...kindOf(entry) }));
  }

  function stat(path: string): FoundStat {
    step("stat", path);
    const found = find(path);
    if (found === undefined) throw errorWithCode("ENOENT", path);
    const { ino, mode } = found;
    const [size, mtimeNs] = found.is === "file" ? [BigInt(found.data.length), found.mtimeNs] : [0n, 0n];
    return { size, mtimeNs, ino, mode: BigInt(mode), ...kindOf(found) };
  }

  function mkdir(path: string, mode: number): void {
    step("mkdir", path);
    if (find(path) !== undefined) throw errorWithCode("EEXIST", path);
    const node = newFolder(newInode(), mode);
    change(dirname(path), (entries) => entries.set(basename(path), node));
  }

  function rename(from: string, to: string): void {
    step("rename", from);
    const node = find(from);
    if (node === undefined) throw errorWithCode("ENOENT", from);
    folderAt(dirname(to));
    if (dirname(from) === dirname(to)) {
      change(dirname(from), (entries) => {
        entries.delete(basename(from));
        entries.set(basename(to), node);
      });
      return;
    }
    change(dirname(from), (entries) => entries.delete(basename(from)));
    change(dirname(to), (entries) => entries.set(basename(to), node));
  }

  function rm(path: string): void {
    step("rm", path);
    if (find(path) === undefined) return;
    change(dirname(path), (entries) => entries.delete(basename(path)));
  }

  function openFile(node: Entry): OpenFile {
    let isOpen = true;
    return {
      write: async (bytes, offset, length, position) => ({
        bytesWritten: write(node, bytes.subarray(offset, offset + length), position),
      }),
      read: async (bytes, offset, length, position) => ({
        bytesRead: read(node, bytes, offset, length, position),
      }),
      async truncate(size) {
        step("truncate", "");
        truncate(asFile(node), size);
      },
      async chmod(mode) {
        step("chmod", "");
        node.mode = mode;
      },
      datasync: async () => sync(node),
      sync: async () => sync(node),
      async close() {
        if (!isOpen) return;
        isOpen = false;
        close();
      },
    };
  }

  /** What is closed is closed, also where that fails. */
  function close(): void {
    opened -= 1;
    step("close", "");
  }

  function handleOf(number: number): Entry {
    const node = handles.get(number);
    if (node === undefined) throw errorWithCode("EBADF", String(number));
    return node;
  }

  return {
    made,
    get hasFailed() {
      return hasFailed;
    },
    get open() {
      return opened;
    },
    crashAfter(steps) {
      crashAt = made.length + steps;
    },
    failAfter(steps, next) {
      fault = { ...next, at: made.length + steps };
      hasFailed = false;
    },
    mend() {
      fault = undefined;
      failNextWrite = undefined;
    },
    afterCrash: (random) => crashDisk(survivorOf(root, random) as FolderNode),
    afterKill: () => crashDisk(copyOf(root, new Map()) as FolderNode),
    put(path, content, mode = 0o644) {
      const parent = putFolder(root, dirname(path), newInode);
      const node = newFile(newInode(), mode, BigInt(made.length));
      node.data = Buffer.from(content);
      node.stored = node.data;
      node.dirtyFrom = node.data.length;
      parent.entries.set(basename(path), node);
      parent.synced.set(basename(path), node);
    },
    save(path, content) {
      const node = newFile(newInode(), 0o644, BigInt(made.length));
      node.data = Buffer.from(content);
      node.dirtyTo = node.data.length;
      change(dirname(path), (entries) => entries.set(basename(path), node));
    },

    calls: {
      open: async (path, flags, mode) => openFile(open(path, flags, mode)),
      readFile: async (path) => readFile(path),
      readdir,
      stat: async (path) => stat(path),
      // It has no links.
      lstat: async (path) => stat(path),
      async realpath(path) {
        step("realpath", path);
        if (find(path) === undefined) throw errorWithCode("ENOENT", path);
        return path;
      },
      mkdir: async (path, { mode }) => mkdir(path, mode),
      rename: async (from, to) => rename(from, to),
      rm: async (path) => rm(path),
    },

    blockingCalls: {
      openSync(path, flags, mode) {
        const node = open(path, flags, mode);
        handleNumbers += 1;
        handles.set(handleNumbers, node);
        return handleNumbers;
      },
      writeSync: (file, bytes, offset, length, position) =>
        write(handleOf(file), bytes.subarray(offset, offset + length), position),
      ftruncateSync(file, size) {
        step("truncate", "");
        truncate(asFile(handleOf(file)), size);
      },
      fdatasyncSync: (file) => sync(handleOf(file)),
      fsyncSync: (file) => sync(handleOf(file)),
      closeSync(file) {
        handles.delete(file);
        close();
      },
      readFileSync: readFile,
      existsSync(path) {
        step("stat", path);
        return find(path) !== undefined;
      },
      mkdirSync: (path, { mode }) => mkdir(path, mode),
      renameSync: rename,
      rmSync: rm,
    },
  };
}
