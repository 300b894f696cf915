/** The stop latch as files: what is there says whether a stop is in force, and which one a person has ended. */
import { lstatSync } from "node:fs";

/** Where a stop that a person has ended is kept until the Workspace's mode agrees. */
export function releasedPath(latch: string): string {
  return `${latch}.released`;
}

/**
 * Whether the stop of `latch` is in force. Anything of that name is a latch, also a link that leads nowhere. One that can't be
 * looked at (the folder may not be searched, the disk fails) counts as one that is there: unknown is not gone. Does not let go of the event loop.
 */
export function isEngaged(latch: string): boolean {
  try {
    return lstatSync(latch, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

/** Whether anything that a stop has ended may be taken for something that ended by itself. */
export function stopIsUnsettled(latch: string): boolean {
  return isEngaged(latch) || isEngaged(releasedPath(latch));
}
