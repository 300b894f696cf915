/** A clock that another process moves: this machine's, and what a file adds to it. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { systemClock } from "../../../pkg/system/system.ts";

/** What is added to this machine's clocks, in milliseconds. */
export interface Shift {
  wallMs: number;
  elapsedMs: number;
}

/** Reads the file at each look, so that it moves as soon as the file is replaced. */
export function movableClock(path: string): Clock {
  const shift = (): Shift => JSON.parse(readFileSync(path, "utf8")) as Shift;
  return {
    now: () => systemClock.now() + shift().wallMs,
    elapsed: () => systemClock.elapsed() + shift().elapsedMs,
    // Sleeps are short beside what the clock is moved by: they take real time.
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  };
}

/** Replaces the file as a whole: who reads it meanwhile has the old or the new one. */
export function moveClock(path: string, shift: Shift): void {
  writeFileSync(`${path}.new`, JSON.stringify(shift));
  renameSync(`${path}.new`, path);
}
