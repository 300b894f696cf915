/** A folder of people's YAML files, read so that a half-written file is never taken for a whole one. */
import { join } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import type { FileStat, FileSystem } from "../file-system.ts";

/** How long a changed file must stay as it is before it counts, in milliseconds: editors truncate, then write. */
export const stableMs = 50;

export interface FolderContent {
  /** By path relative to the folder, with `/`. Undefined: it is changing right now, or can't be read; look again. */
  files: ReadonlyMap<string, string | undefined>;
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

interface Cached {
  stat: FileStat;
  text: string;
}

export function openFolder({ folder, fs, clock }: { folder: string; fs: FileSystem; clock: Clock }): Folder {
  /** Of files that were seen unchanged twice: their text need not be read while size, time and inode stay. */
  const cache = new Map<string, Cached>();

  return {
    async read(known) {
      if ((await fs.stat(folder))?.kind !== "directory") return undefined;
      const paths = await yamlFiles("");
      const files = new Map<string, string | undefined>();
      const changed = new Map<string, Cached | undefined>();
      for (const path of paths) {
        const found = await look(path);
        if (found !== undefined && (found === cache.get(path) || known.get(path) === found.text)) {
          cache.set(path, found);
          files.set(path, found.text);
        } else changed.set(path, found);
      }
      if (changed.size > 0) await clock.sleep(stableMs);
      for (const [path, first] of changed) {
        const second = await look(path);
        const stable = first !== undefined && second !== undefined && sameStat(first.stat, second.stat);
        if (stable) cache.set(path, second);
        // Gone by now: the next look will not list it.
        files.set(path, stable ? second.text : undefined);
      }
      for (const path of cache.keys()) if (!files.has(path)) cache.delete(path);
      return { files };
    },

    async readFile(path) {
      return (await fs.read(join(folder, path)))?.toString("utf8");
    },
  };

  async function look(path: string): Promise<Cached | undefined> {
    const stat = await fs.stat(join(folder, path));
    if (stat?.kind !== "file") return undefined;
    const cached = cache.get(path);
    if (cached !== undefined && sameStat(cached.stat, stat)) return cached;
    const bytes = await fs.read(join(folder, path));
    return bytes === undefined ? undefined : { stat, text: bytes.toString("utf8") };
  }

  async function yamlFiles(below: string): Promise<string[]> {
    const entries = (await fs.list(join(folder, below))) ?? [];
    const found: string[] = [];
    for (const { name, kind } of entries) {
      const path = below === "" ? name : `${below}/${name}`;
      if (name.startsWith(".")) continue;
      if (kind === "directory") found.push(...(await yamlFiles(path)));
      else if (isYamlFile(name)) found.push(path);
    }
    return found;
  }
}

/** Whether a file of this name is read: not hidden, no editor's backup or swap file. */
export function isYamlFile(name: string): boolean {
  return /^[^.#].*\.ya?ml$/.test(name);
}

function sameStat(a: FileStat, b: FileStat): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ino === b.ino;
}
