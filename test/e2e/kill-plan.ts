/** Which runs of the operator are killed, and when. */
import type { Failpoint } from "../../pkg/runtime/failpoints.ts";
import { uniform } from "../support/uniform.ts";
import type { Fate, Moment } from "./demo-harness.ts";

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

/** A run is killed before the ledger has more new lines than this: a request has three, and a demo hundreds. */
const killAfterLinesMax = 30;
/** So long after its line a blow falls at the latest, in milliseconds: upon tools, checks and merges, too. */
const lagMsMax = 1000;
/** One of so many runs is killed without a look at the ledger, while it starts or soon after: within this, in milliseconds. */
const startsOf = 5;
const startMsMax = 3000;

/** What goes down with the operator, in turn: mostly nothing. */
const takenInTurn: readonly Fate["takes"][] = [undefined, "AllButGateway", "Gateway", "Everything"];
/** While it works, a host or the gateway dies, or everything is stopped and resumed, as often. */
const blowsMax = 3;

/** `count` runs that are killed at moments that follow from `seed` alone. */
export function randomKills(count: number, seed: number): Fate[] {
  const next = uniform(seed);
  return Array.from({ length: count }, (_, index) => {
    const starts = index % startsOf === 0;
    const lines = starts ? 0 : Math.round(next() * killAfterLinesMax);
    const kill = { afterLines: lines, afterMs: Math.round(next() * (starts ? startMsMax : lagMsMax)) };
    const takes = takenInTurn[index % takenInTurn.length];
    const blows = Array.from({ length: Math.floor(next() * (blowsMax + 1)) }, () => ({
      afterLines: Math.floor(next() * lines),
      afterMs: Math.round(next() * lagMsMax),
      whom: whomOf(next()),
    }));
    return { kill, blows, ...(takes === undefined ? {} : { takes }) };
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

export function tell({ kill, takes, blows = [], failpoint }: Fate): string {
  if (failpoint !== undefined) return `at ${failpoint.name}:${failpoint.hit ?? 1}`;
  if (kill === undefined) return "never";
  const others = blows.map((blow) => `, ${blowWords[blow.whom]} after ${moment(blow)}`);
  return `after ${moment(kill)}${takes === undefined ? "" : ` with ${takes}`}${others.join("")}`;
}

const blowWords = { Host: "its host", Gateway: "its gateway", All: "everything by a stop" };

function moment({ afterLines, afterMs }: Moment): string {
  return `${afterLines} lines and ${(afterMs / 1000).toFixed(1)} s`;
}
