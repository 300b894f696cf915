import { existsSync, watch } from "node:fs";
import { dirname, join } from "node:path";

/** Files beside the refs that change with them: a branch may be packed, and then has no file of its own. */
const telling = /^(?:HEAD|packed-refs|COMMIT_EDITMSG|ORIG_HEAD|FETCH_HEAD)$/;

/** Calls `wake` when HEAD or `ref` may have moved. May miss a move: who listens must look again by itself, too. */
export function watchRef(
  gitDirectory: string,
  ref: string,
  { wake, signal }: { wake: () => void; signal: AbortSignal },
): void {
  const own = join(gitDirectory, dirname(ref));
  const branches = existsSync(own) ? own : join(gitDirectory, "refs", "heads");
  for (const folder of [gitDirectory, branches]) {
    const watcher = watch(folder, { signal, persistent: false }, (_event, name) => {
      if (folder === branches || name === null || telling.test(name)) wake();
    });
    // A watcher that dies costs latency only.
    watcher.on("error", () => watcher.close());
  }
}
