import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { readIfPresent, replaceFile, syncDirectory } from "./durable-file.ts";
import type { StopLatch } from "./stop-latch.ts";

/** The latch as a file that says why; hosts watch it themselves, so that it holds without a living operator. */
export function fileStopLatch(path: string): StopLatch {
  return {
    engaged: async () => readIfPresent(path) !== undefined,
    async engage(why) {
      if (readIfPresent(path) !== undefined) return;
      mkdirSync(dirname(path), { recursive: true });
      replaceFile(path, `${why}\n`, { durable: true });
    },
    async release() {
      if (readIfPresent(path) === undefined) return;
      rmSync(path, { force: true });
      syncDirectory(dirname(path));
    },
  };
}
