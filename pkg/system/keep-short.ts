import { copyFileSync, statSync, truncateSync } from "node:fs";

/**
 * Empties a file that is longer than `bytesMax` into its one predecessor, `FILE.1`. For one that is the standard error of
 * a process, which goes on writing to what it was given; whoever has it open must have opened it to append. What another
 * process writes in that very moment may be lost.
 *
 * @throws what the disk said; then the file is as it was
 */
export function keepShort(path: string, bytesMax: number): void {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes <= bytesMax) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}
