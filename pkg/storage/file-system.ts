/** The few file operations that storage and ledger stand on, so that tests can put a disk that crashes beneath them. */

export interface FileStat {
  kind: "file" | "directory" | "other";
  size: number;
  /** Nanoseconds since the Unix epoch. */
  mtimeNs: bigint;
  ino: bigint;
  /** Permission bits only, for instance 0o600. */
  mode: number;
}

export interface DirectoryEntry {
  name: string;
  kind: "file" | "directory" | "other";
}

/** A file open for appending. A failed `write` or sync leaves its content undefined: give the file up. */
export interface AppendFile {
  /** Appends all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when content and length survive power loss (fdatasync). */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** Paths are absolute. What is not said to be synced may be lost, torn or reordered by a crash. */
export interface FileSystem {
  /** Creates a file that must not exist (error code EEXIST) and opens it. The umask does not change `mode`. */
  create(path: string, mode: number): Promise<AppendFile>;
  /** Opens a file behind its first `size` bytes, cutting off what follows. Creates one with `mode` where there is none. */
  append(path: string, options: { mode: number; size: number }): Promise<AppendFile>;
  /** The content, or undefined where there is no file. */
  read(path: string): Promise<Buffer | undefined>;
  /** The content in pieces, however large it is; none where there is no file. */
  pieces(path: string): AsyncIterable<Buffer>;
  /** Undefined where there is nothing. Follows symbolic links. */
  stat(path: string): Promise<FileStat | undefined>;
  /** As `stat`, but of a symbolic link itself, whose kind is `other`. */
  lstat(path: string): Promise<FileStat | undefined>;
  /** Where `path` leads when symbolic links are followed; `path` itself where there is nothing. */
  realPath(path: string): Promise<string>;
  /** Entries in the order of their names, or undefined where there is no directory. */
  list(directory: string): Promise<readonly DirectoryEntry[] | undefined>;
  /** The names of its entries, in any order, or undefined where there is no directory. */
  names(directory: string): Promise<readonly string[] | undefined>;
  /**
   * Creates a directory and its parents; an existing one stays as it is. Resolves when they survive power loss, those
   * included that an earlier process made and didn't sync.
   */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Replaces `to` atomically. */
  rename(from: string, to: string): Promise<void>;
  /**
   * Renames `by` to `path`, or removes `path` where `by` is undefined, if its content is still `content`; undefined is
   * no file. Nothing else that this process does comes in between, and of others only what they do in that very moment.
   *
   * @returns whether it was
   */
  replaceUnchanged(path: string, content: string | undefined, by: string | undefined): Promise<boolean>;
  /** Removes a file; a missing one is fine. */
  remove(path: string): Promise<void>;
  /** Resolves when creations, renames and removals in `directory` survive power loss. */
  syncDirectory(directory: string): Promise<void>;
  /** Resolves when a file's content survives power loss. Not enough after a sync of it failed: see `persist`. */
  syncFile(path: string): Promise<void>;
  /**
   * Writes the bytes of a file from `from` to `to` once more, as they are, and syncs it. Resolves when the file survives
   * power loss even where a sync of these bytes failed: after such a failure a system may hold them to be written,
   * show them to readers and never write them, whatever is synced later.
   *
   * @see "Can Applications Recover from fsync Failures?", Rebello et al., USENIX ATC 2020
   */
  persist(path: string, range: { from: number; to: number }): Promise<void>;
}
