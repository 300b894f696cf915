import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../runtime/clock.ts";
import type { FileSystem } from "../storage/file-system.ts";
import { nodeFileSystem } from "../storage/node-file-system.ts";
import type { StopLatch } from "./stop-latch.ts";

/** How often the files are looked at, in milliseconds: people touch them, and file events get lost. */
const lookPeriodMs = 200;

/**
 * The latch as a file that says why. Hosts and the gateway watch it themselves, so that it holds without a living
 * operator. Released, it is renamed: so the operator that comes next knows which stop a person has ended.
 *
 * @param path - of the latch; whoever only creates an empty file there engages it
 */
export function fileStopLatch(
  path: string,
  { clock, fs = nodeFileSystem }: { clock: Clock; fs?: FileSystem },
): StopLatch {
  const released = releasedPath(path);
  // What can't be seen is told as a change: whoever is woken meets the same error, and says so.
  const seen = async (): Promise<string> => {
    const both = Promise.all([nameOf(path, fs), nameOf(released, fs)]);
    return await both.then(String, (error: NodeJS.ErrnoException) => `unknown: ${error.code}`);
  };
  return {
    engaged: async () => (await fs.stat(path)) !== undefined,
    look: async () => ({ engaged: await nameOf(path, fs), released: await nameOf(released, fs) }),
    async engage(why, visible) {
      await fs.makeDirectory(dirname(path), 0o700);
      const temporary = `${path}.${randomUUID()}.new`;
      const file = await fs.create(temporary, 0o644);
      try {
        await file.write(Buffer.from(`${why}\n`)).catch(() => {
          // A full disk: an empty latch stops as well as one that says why.
        });
        // Before it can be seen: what is released from then on is this very stop.
        await fs.remove(released);
        // First it is there, then it is safe: an empty latch, should the machine lose power now, is one as well.
        await fs.rename(temporary, path);
        visible?.();
        await file.datasync();
      } finally {
        await file.close();
      }
      await fs.syncDirectory(dirname(path));
    },
    async release(only) {
      const name = await nameOf(path, fs);
      if (name === undefined || (only !== undefined && name !== only)) return;
      await fs.rename(path, released);
      // Touched since it was looked at: another stop was moved, and comes back.
      if (only !== undefined && (await nameOf(released, fs)) !== only) await fs.rename(released, path);
      await fs.syncDirectory(dirname(path));
    },
    async settle() {
      if ((await fs.stat(released)) === undefined) return;
      await fs.remove(released);
      await fs.syncDirectory(dirname(path));
    },
    subscribe(wake, signal) {
      const follow = async (): Promise<never> => {
        for (let before = await seen(); ; ) {
          await clock.sleep(lookPeriodMs, signal);
          const now = await seen();
          if (now !== before) wake();
          before = now;
        }
      };
      follow().catch(() => {
        // Aborted: that is how it ends.
      });
    },
  };
}

/** Where a stop that a person has ended is kept until the Workspace's mode agrees. */
export function releasedPath(latch: string): string {
  return `${latch}.released`;
}

/** Whether anything that a stop has ended may be taken for something that ended by itself. */
export function stopIsUnsettled(latch: string): boolean {
  return existsSync(latch) || existsSync(releasedPath(latch));
}

/** By what it says and when it was last touched, both of one file. Undefined where there is no such file. */
async function nameOf(path: string, fs: FileSystem): Promise<string | undefined> {
  for (;;) {
    const before = await fs.stat(path);
    if (before === undefined) return undefined;
    const content = before.kind === "file" ? await fs.read(path) : Buffer.of();
    const after = await fs.stat(path);
    // Released or engaged anew while it was read: half of each would be the name of a stop that never was.
    if (content === undefined || after?.mtimeNs !== before.mtimeNs) continue;
    return `${before.mtimeNs}-${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
  }
}
