/** The stop latch as files: what is there says whether a stop is in force, and which one a person has ended. */
import { existsSync } from "node:fs";

/** Where a stop that a person has ended is kept until the Workspace's mode agrees. */
export function releasedPath(latch: string): string {
  return `${latch}.released`;
}

/** Whether anything that a stop has ended may be taken for something that ended by itself. */
export function stopIsUnsettled(latch: string): boolean {
  return existsSync(latch) || existsSync(releasedPath(latch));
}
