import { basename } from "node:path";
import { watch } from "chokidar";
import { isYamlFile } from "./folder.ts";

/** Calls `wake` after something below `folder` may have changed. Resolves once it watches; returns the way out. */
export type WatchFolder = (folder: string, wake: () => void) => Promise<() => Promise<void>>;

/** Watchers lose events, so a periodic rescan stands beside this one. */
export const watchFolder: WatchFolder = async (folder, wake) => {
  const watcher = watch(folder, {
    ignoreInitial: true,
    ignored: (path, stats) =>
      path !== folder &&
      (basename(path).startsWith(".") || (stats?.isFile() === true && !isYamlFile(basename(path)))),
  });
  watcher.on("all", wake);
  // A watch that broke costs time, not edits.
  watcher.on("error", wake);
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  return () => watcher.close();
};
