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

/** What goes down with the operator, in turn: mostly nothing. */
const takenInTurn: readonly Fate["takes"][] = [undefined, "AllButGateway", "Gateway", "Everything"];
/** While it works, a host or the gateway dies, or everything is stopped and resumed, as often. */
const blowsMax = 3;

/** `count` runs that are killed at moments that follow from `seed` alone. */
export function randomKills(count: number, seed: number): Fate[] {
  const next = uniform(seed);
  return Array.from({ length: count }, (_, index) => {
    const killAfterMs = Math.round(next() * killAfterMsMax);
    const takes = takenInTurn[index % takenInTurn.length];
    const blows = Array.from({ length: Math.floor(next() * (blowsMax + 1)) }, () => ({
      afterMs: Math.round(next() * killAfterMs),
      whom: whomOf(next()),
    })).sort((a, b) => a.afterMs - b.afterMs);
    return { killAfterMs, blows, ...(takes === undefined ? {} : { takes }) };
  });
}

function whomOf(share: number): "Host" | "Gateway" | "All" {
  if (share < 0.5) return "Host";
  return share < 0.7 ? "Gateway" : "All";
}

/** A run for each failpoint, in order. */
export function everyFailpoint(): Fate[] {
  return failpoints.map((name) => ({ failpoint: { name } }));
}

export function tell({ killAfterMs, takes, blows = [], failpoint }: Fate): string {
  if (failpoint !== undefined) return `at ${failpoint.name}:${failpoint.hit ?? 1}`;
  if (killAfterMs === undefined) return "never";
  const others = blows.map(({ afterMs, whom }) => `, ${blowWords[whom]} after ${seconds(afterMs)}`);
  return `after ${seconds(killAfterMs)}${takes === undefined ? "" : ` with ${takes}`}${others.join("")}`;
}

const blowWords = { Host: "its host", Gateway: "its gateway", All: "everything by a stop" };

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
