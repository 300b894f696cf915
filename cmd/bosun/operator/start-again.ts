/**
 * An operator that a full disk has ended starts again in the place of its own process, as `bosun up` was started. Nothing
 * that it held in memory or open outlives that (docs/durability.md); its number and its start time stay the same.
 */
import { existsSync } from "node:fs";

/** How many starts of this process in a row a full disk has ended. */
const variable = "BOSUN_FULL_DISKS";

/** Who ran for so long was not ended at once, in milliseconds. */
const steadyMs = 600_000;
const pauseMsFirst = 5_000;
const pauseMsMax = 300_000;

/** Takes what the start before this one left; what this process starts is not told. Zero for the first. */
export function takeFullDisks(): number {
  const count = Number(process.env[variable] ?? 0);
  delete process.env[variable];
  return Number.isInteger(count) ? count : 0;
}

/** How long the next start waits at least, in milliseconds: longer with each that the disk ended, not after the first. */
export function pauseMsAfter(fullDisks: number): number {
  return fullDisks < 2 ? 0 : Math.min(pauseMsFirst * 2 ** (fullDisks - 2), pauseMsMax);
}

/**
 * Does not come back, unless this can't be done here.
 *
 * @param before - what `takeFullDisks` gave
 * @param ranMs - how long this start went on
 */
export function startAgain({ before, ranMs }: { before: number; ranMs: number }): void {
  const [, main = ""] = process.argv;
  // A program that is not there any more would end this process without a word.
  if (process.execve === undefined || !existsSync(process.execPath) || !existsSync(main)) return;
  const fullDisks = ranMs < steadyMs ? before + 1 : 1;
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    ...process.env,
    [variable]: String(fullDisks),
  });
}
