/** The disk of the machine that the operator runs on: it outlives every operator, and a power loss takes what it can. */
import { dirname } from "node:path";
import { TransientError } from "../../../pkg/runtime/errors.ts";
import type { AppendFile, FileSystem } from "../../../pkg/storage/file-system.ts";
import { type CrashFileSystem, crashFileSystem } from "../../../pkg/storage/testing/crash-file-system.ts";
import type { Prng } from "../kernel/prng.ts";
import type { Incarnation } from "../kernel/scheduler.ts";

/** Probabilities, 0 to 1. May be changed while a run goes on. */
export interface DiskFaults {
  /** The process dies at a call, before or after it was done. */
  deaths: number;
  /** A sync takes its time: others get on meanwhile. */
  slow: number;
}

export const noDiskFaults: DiskFaults = { deaths: 0, slow: 0 };

export interface MountOptions {
  life: Pick<Incarnation, "task" | "revoked">;
  chance: Prng;
  faults: DiskFaults;
  /** Ends the life. */
  die: () => void;
}

export class SimDisk {
  /** There is no room: nothing can be created, and a write gets in as far as it gets. */
  isFull = false;
  /** What git and the checks write fails: EIO. */
  isFailing = false;
  #files: CrashFileSystem = crashFileSystem();

  /** The disk as one life of the operator uses it. Every call resolves at once, but for slow syncs: those are a step. */
  mount({ life, chance, faults, die }: MountOptions): FileSystem {
    // What a dead process has asked for is never answered.
    const never = new Promise<never>(() => {});
    const unlessDead = (answer: unknown): unknown => (life.revoked ? never : answer);
    const dyingAt = async (act: () => Promise<unknown>): Promise<never> => {
      if (chance.chance(0.5)) await act();
      die();
      return never;
    };
    const call = (name: string, act: () => Promise<unknown>): Promise<unknown> => {
      if (life.revoked) return never;
      if (chance.chance(faults.deaths)) return dyingAt(act);
      if (SYNCS.has(name) && chance.chance(faults.slow))
        return life
          .task(`disk ${name}`, () => {})
          .then(act)
          .then(unlessDead);
      return act().then(unlessDead);
    };
    const written = (file: AppendFile): AppendFile => ({
      write: async (bytes) => {
        if (!this.isFull) return (await call("write", () => file.write(bytes))) as undefined;
        await file.write(bytes.subarray(0, chance.below(bytes.length)));
        throw full();
      },
      datasync: () => call("datasync", () => file.datasync()) as Promise<void>,
      close: () => call("close", () => file.close()) as Promise<void>,
    });
    return {
      ...wrapped(this.#files as FileSystem, call),
      create: async (path, mode) => {
        if (this.isFull) throw full();
        return written((await call("create", () => this.#files.create(path, mode))) as AppendFile);
      },
      append: async (path, options) =>
        written((await call("append", () => this.#files.append(path, options))) as AppendFile),
    };
  }

  // What people do on it

  put(path: string, text: string): void {
    this.#files.put(path, text);
  }

  async text(path: string): Promise<string | undefined> {
    return (await this.#files.read(path))?.toString("utf8");
  }

  async remove(path: string): Promise<void> {
    await this.#files.remove(path);
    await this.#files.syncDirectory(dirname(path));
  }

  /** Says as git does what keeps it, a checkout or a check from being written. */
  refuse(): void {
    if (this.isFull) throw new TransientError("GitFailed", "fatal: unable to write: No space left on device");
    if (this.isFailing) throw new TransientError("GitFailed", "fatal: unable to write: Input/output error");
  }

  /** What was not synced is kept, lost or torn; renames and creations too. */
  losePower(chance: Prng): void {
    this.#files = this.#files.afterCrash(chance);
  }
}

const SYNCS: ReadonlySet<string> = new Set(["datasync", "syncDirectory", "syncFile", "persist"]);

/** `files` with every method a call. */
function wrapped<T extends object>(
  files: T,
  call: (name: string, act: () => Promise<unknown>) => Promise<unknown>,
): T {
  const methods = Object.entries(files).map(([name, method]) =>
    // What is read in pieces is no promise.
    typeof method !== "function" || name === "pieces"
      ? [name, method]
      : [name, (...args: unknown[]) => call(name, () => method(...args))],
  );
  return Object.fromEntries(methods) as T;
}

function full(): Error {
  return Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
}
