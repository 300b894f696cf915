/**
 * The calls of the operating system that files are made of, as `node:fs/promises` and `node:fs` have them. Everything
 * that must be on disk goes through them, so that tests can put a disk beneath that fails, forgets and crashes.
 */

/** One open file, or a folder opened to be synced. */
export interface OpenFile {
  /** May take fewer bytes than `length`. At the end, where `position` is null. */
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): Promise<{ bytesWritten: number }>;
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  truncate(size: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FoundEntry {
  name: string;
  isFile(): boolean;
  isDirectory(): boolean;
}

export interface FoundStat {
  size: bigint;
  mtimeNs: bigint;
  ino: bigint;
  mode: bigint;
  isFile(): boolean;
  isDirectory(): boolean;
}

export interface FileCalls {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>;
  readFile(path: string): Promise<Buffer>;
  readdir(path: string): Promise<string[]>;
  readdir(path: string, options: { withFileTypes: true }): Promise<FoundEntry[]>;
  stat(path: string, options: { bigint: true }): Promise<FoundStat>;
  lstat(path: string, options: { bigint: true }): Promise<FoundStat>;
  realpath(path: string): Promise<string>;
  mkdir(path: string, options: { mode: number }): Promise<unknown>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
}

/** The same, blocking: for a process that may do nothing else until it is written down. */
export interface BlockingFileCalls {
  openSync(path: string, flags: string, mode?: number): number;
  writeSync(file: number, bytes: Uint8Array, offset: number, length: number, position: number | null): number;
  ftruncateSync(file: number, size: number): void;
  fdatasyncSync(file: number): void;
  fsyncSync(file: number): void;
  closeSync(file: number): void;
  readFileSync(path: string): Buffer;
  existsSync(path: string): boolean;
  mkdirSync(path: string, options: { mode: number }): unknown;
  renameSync(from: string, to: string): void;
  rmSync(path: string, options: { force: true }): void;
}

/** The code of a call's error, for instance ENOENT; undefined for any other error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
