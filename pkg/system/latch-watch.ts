/** The stop latch as a whole process watches it: one look for all that heed it. */
import { lstatSync, statSync } from "node:fs";
import type { Clock } from "../runtime/clock.ts";
import { isEngaged, releasedPath } from "./latch-files.ts";

/** How often is looked, in milliseconds: people touch it, and file events get lost. A stop takes less than a second. */
const lookPeriodMs = 200;

/** What one look found. */
export interface LatchLook {
  /** Whether the stop is in force. */
  isEngaged: boolean;
  /** Whether the latch, or the one that was released last, is another than at the look before, or was touched. */
  hasChanged: boolean;
}

export interface LatchWatch {
  /** Of the latch. */
  readonly path: string;
  /** Whether the stop is in force at this moment. */
  isEngaged(): boolean;
  /**
   * Tells what each look found, until `signal`.
   *
   * @param heed - must not throw
   */
  follow(heed: (look: LatchLook) => void, signal: AbortSignal): void;
}

/**
 * Watches the latch at `path` until `signal`. It looks without letting go of the event loop, which takes some hundredths
 * of a millisecond, where a look by way of other threads wakes three of them.
 */
export function watchLatch(path: string, clock: Clock, signal: AbortSignal): LatchWatch {
  const paths = [path, releasedPath(path)];
  const followers = new Set<(look: LatchLook) => void>();
  const look = (): string => paths.map(printOf).join();
  const watch = async (): Promise<void> => {
    for (let before = look(); ; ) {
      await clock.sleep(lookPeriodMs, signal);
      const now = look();
      const found = { isEngaged: isEngaged(path), hasChanged: now !== before };
      before = now;
      for (const heed of [...followers]) heed(found);
    }
  };
  watch().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return {
    path,
    isEngaged: () => isEngaged(path),
    follow(heed, over) {
      if (over.aborted) return;
      followers.add(heed);
      over.addEventListener("abort", () => followers.delete(heed), { once: true });
    },
  };
}

/** Another one for each file that is put there, and for each touch. */
function printOf(path: string): string {
  try {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    // Of a link, also what it leads to may be touched.
    const behind = found?.isSymbolicLink()
      ? statSync(path, { bigint: true, throwIfNoEntry: false })
      : undefined;
    return [found, behind]
      .map((one) => (one === undefined ? "none" : `${one.ino} ${one.mtimeNs} ${one.size}`))
      .join();
  } catch (error) {
    // Told as a change: whoever is woken meets the same error, and says so.
    return `unknown: ${(error as NodeJS.ErrnoException).code}`;
  }
}
