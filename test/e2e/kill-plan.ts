/** Which runs of the operator are killed, and when. */
import type { Failpoint } from "../../pkg/runtime/failpoints.ts";
import { uniform } from "../support/uniform.ts";
import type { Fate } from "./demo-harness.ts";

/** In the order in which a demo first comes by them. */
export const failpoints: readonly Failpoint[] = [
  "claim-written",
  "host-started",
  "request-reserved",
  "request-sent",
  "request-settled",
  "review-settled",
  "intent-written",
  "ref-swapped",
  "status-written",
];

/** A run is killed within this of its start, in milliseconds: some before they have done anything, most at work. */
const killAfterMsMax = 12_000;

/** Of so many kills one takes everything down, not the operator alone. */
const everythingOneIn = 4;

/** `count` runs that are killed at moments that follow from `seed` alone. */
export function randomKills(count: number, seed: number): Fate[] {
  const next = uniform(seed);
  return Array.from({ length: count }, (_, index) => ({
    killAfterMs: Math.round(next() * killAfterMsMax),
    withEverything: index % everythingOneIn === everythingOneIn - 1,
  }));
}

/** A run for each failpoint, in order. */
export function everyFailpoint(): Fate[] {
  return failpoints.map((name) => ({ failpoint: { name } }));
}

export function tell({ killAfterMs, withEverything, failpoint }: Fate): string {
  if (failpoint !== undefined) return `at ${failpoint.name}:${failpoint.hit ?? 1}`;
  return killAfterMs === undefined
    ? "never"
    : `after ${(killAfterMs / 1000).toFixed(1)} s${withEverything ? " with everything" : ""}`;
}
