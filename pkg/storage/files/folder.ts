/** A folder of people's YAML files, read so that a half-written file is never taken for a whole one. */
import { basename, join } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import type { FileStat, FileSystem } from "../file-system.ts";

/** How long a changed file must stay as it is before it counts, in milliseconds: editors truncate, then write. */
const stableMs = 50;

export interface FolderContent {
  /** By path relative to the folder, with `/`. Undefined: it is changing right now, or can't be read; look again. */
  files: ReadonlyMap<string, string | undefined>;
  /** By path, of those that can't be read: why. */
  unreadable: ReadonlyMap<string, string>;
  /** Paths of JSON files, as kubectl takes them: only YAML is read. */
  json: readonly string[];
}

export interface Folder {
  /**
   * All YAML files, or undefined where the folder itself is missing.
   *
   * @param known - the texts that need no second look: what Bosun last read or wrote
   */
  read(known: ReadonlyMap<string, string>): Promise<FolderContent | undefined>;
  /** One file as it is this moment. */
  readFile(path: string): Promise<string | undefined>;
}

export interface FolderOptions {
  folder: string;
  fs: FileSystem;
  clock: Clock;
}

/** How the files of a folder were at one moment: the first of the two looks that a changed one needs. */
export interface Glance {
  /** By the clock's `elapsed`. */
  atMs: number;
  /** By path. */
  stats: ReadonlyMap<string, FileStat>;
}

interface Cached {
  stat: FileStat;
  text: string;
}

/** Looks at the folder ahead of its first read, which then need not wait. Nothing is read yet. */
export async function glanceAt({ folder, fs, clock }: FolderOptions): Promise<Glance> {
  const stats = await statsOf(fs, folder, (await pathsIn(fs, folder, "")).filter(isYamlPath));
  return { atMs: clock.elapsed(), stats };
}

/** @param glance - an earlier look at it, for the first read */
export function openFolder({ folder, fs, clock }: FolderOptions, glance?: Glance): Folder {
  /** Of files that were seen unchanged twice: their text need not be read while size, time and inode stay. */
  const cache = new Map<string, Cached>();
  let before = glance;

  return {
    async read(known) {
      if ((await fs.stat(folder))?.kind !== "directory") return undefined;
      const all = await pathsIn(fs, folder, "");
      const paths = all.filter(isYamlPath);
      const files = new Map<string, string | undefined>();
      const changed = new Map<string, Cached | undefined>();
      const unreadable = new Map<string, string>();
      const stats = await statsOf(fs, folder, paths);
      for (const path of paths) {
        const found = await textOf(path, stats.get(path));
        if (typeof found === "string") {
          files.set(path, undefined);
          unreadable.set(path, found);
          continue;
        }
        if (found !== undefined && (found === cache.get(path) || known.get(path) === found.text)) {
          cache.set(path, found);
          files.set(path, found.text);
        } else changed.set(path, found);
      }
      const restMs = Math.max(0, ...[...changed].map(([path, found]) => restMsOf(path, found)));
      before = undefined;
      if (restMs > 0) await clock.sleep(restMs);
      const later = await statsOf(fs, folder, [...changed.keys()]);
      for (const [path, first] of changed) {
        const second = await textOf(path, later.get(path));
        const isStable =
          first !== undefined && typeof second === "object" && sameStat(first.stat, second.stat);
        if (isStable) cache.set(path, second);
        files.set(path, isStable ? second.text : undefined);
      }
      for (const path of cache.keys()) if (!files.has(path)) cache.delete(path);
      return { files, unreadable, json: all.filter((path) => path.endsWith(".json")) };
    },

    async readFile(path) {
      return (await fs.read(join(folder, path)))?.toString("utf8");
    },
  };

  /** Undefined: it is gone, or no file. A string: why it can't be read. */
  async function textOf(path: string, stat: FileStat | undefined): Promise<Cached | string | undefined> {
    if (stat?.kind !== "file") return undefined;
    const cached = cache.get(path);
    if (cached !== undefined && sameStat(cached.stat, stat)) return cached;
    try {
      const bytes = await fs.read(join(folder, path));
      return bytes === undefined ? undefined : { stat, text: bytes.toString("utf8") };
    } catch (error) {
      if (error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM")) {
        return error.message;
      }
      throw error;
    }
  }

  /** How long a file has to stay as it was just found, from now on, in milliseconds. */
  function restMsOf(path: string, found: Cached | undefined): number {
    const stat = before?.stats.get(path);
    if (before === undefined || stat === undefined || found === undefined || !sameStat(stat, found.stat))
      return stableMs;
    return before.atMs + stableMs - clock.elapsed();
  }
}

/** All files but hidden ones and editors' own. */
async function pathsIn(fs: FileSystem, folder: string, below: string): Promise<string[]> {
  const entries = (await fs.list(join(folder, below))) ?? [];
  const found = entries.map(async ({ name, kind }) => {
    const path = below === "" ? name : `${below}/${name}`;
    if (name.startsWith(".")) return [];
    if (kind === "directory") return pathsIn(fs, folder, path);
    return name.startsWith("#") ? [] : [path];
  });
  return (await Promise.all(found)).flat();
}

/** By path, all looked at together: one after the other each would wake this process and another thread. */
async function statsOf(
  fs: FileSystem,
  folder: string,
  paths: readonly string[],
): Promise<Map<string, FileStat>> {
  const stats = await Promise.all(paths.map((path) => fs.stat(join(folder, path))));
  return new Map(paths.flatMap((path, at) => (stats[at] === undefined ? [] : [[path, stats[at]]])));
}

/** Whether a file of this name is read: not hidden, no editor's backup or swap file. */
export function isYamlFile(name: string): boolean {
  return /^[^.#].*\.ya?ml$/.test(name);
}

function isYamlPath(path: string): boolean {
  return isYamlFile(basename(path));
}

function sameStat(a: FileStat, b: FileStat): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ino === b.ino;
}
