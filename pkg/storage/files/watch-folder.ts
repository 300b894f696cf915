import { type FSWatcher, lstatSync, readdirSync, watch } from "node:fs";
import { join } from "node:path";
import { isYamlFile } from "./folder.ts";

/** Calls `wake` after something below `folder` may have changed. Resolves once it watches; returns the way out. */
export type WatchFolder = (folder: string, wake: () => void) => Promise<() => Promise<void>>;

/**
 * One watch for each folder, which tells what changed by name: what is no YAML file, as those that say what agents do, is
 * passed over without a look at the disk. Watchers lose events, and the system may grant no more of them, so a periodic rescan
 * stands beside this one.
 */
export const watchFolder: WatchFolder = async (folder, wake) => {
  const watchers = new Map<string, FSWatcher>();
  attach(folder);
  return async () => {
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
  };

  /** Watches a folder and those below it. */
  function attach(path: string): void {
    if (!watchers.has(path)) {
      const watcher = watched(path);
      if (watcher === undefined) return;
      watchers.set(path, watcher);
    }
    for (const name of foldersIn(path)) attach(join(path, name));
  }

  function watched(path: string): FSWatcher | undefined {
    try {
      const watcher = watch(path, (_, name) => tell(path, name));
      // A watch that broke costs time, not edits.
      watcher.on("error", () => {
        detach(path);
        wake();
      });
      return watcher;
    } catch {
      // It is gone again, or no more watches are granted: the rescan sees what is in it.
      return undefined;
    }
  }

  function tell(path: string, name: string | null): void {
    if (name === null) {
      attach(folder);
      wake();
    } else if (isYamlFile(name)) wake();
    else if (!name.startsWith(".") && followFolder(join(path, name))) wake();
  }

  /** @returns whether there is a folder at `path`, or was one until now */
  function followFolder(path: string): boolean {
    const wasWatched = detach(path);
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return wasWatched;
    // Another one than before, perhaps: then what was watched is not what is there.
    attach(path);
    return true;
  }

  /** @returns whether the folder was watched */
  function detach(path: string): boolean {
    const found = [...watchers].filter(([other]) => other === path || other.startsWith(join(path, "/")));
    for (const [other, watcher] of found) {
      watcher.close();
      watchers.delete(other);
    }
    return found.length > 0;
  }
};

/** The names of folders in a folder that people's files may lie in. */
function foldersIn(path: string): readonly string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map(({ name }) => name);
  } catch {
    // Gone, or not to be read: nothing in it can be watched.
    return [];
  }
}
