/** Where the time of a demo run went, summed over all projects. Several go on at once, so that the sums exceed the whole. */

import { entriesOfRun } from "../../../pkg/session/runner/conversation.ts";
import type { StampedEntry } from "../../../pkg/session/transcript.ts";
import { keyOf, type Milestone, type Milestones } from "./milestones.ts";
import type { RecordedSession } from "./recorded.ts";

export type Phases = ReadonlyMap<string, { count: number; ms: number }>;

/** Adds up what the sessions wrote down and what the objects said. */
export function phasesOf(sessions: readonly RecordedSession[], seen: Milestones): Phases {
  const phases = new Map<string, { count: number; ms: number }>();
  const add = (phase: string, from: number | undefined, to: number | undefined): void => {
    if (from === undefined || to === undefined) return;
    const { count, ms } = phases.get(phase) ?? { count: 0, ms: 0 };
    phases.set(phase, { count: count + 1, ms: ms + to - from });
  };
  for (const { spec, entries } of sessions) {
    const cycles = spec.purpose === "execute" ? spec.run : 1;
    for (let cycle = 1; cycle <= cycles; cycle += 1) {
      const run = entriesOfRun(entries, cycle);
      const [opened, last] = [at(run[0]), at(run.at(-1))];
      const shown = spec.purpose === "execute" ? cycle : cycleOf(spec.claim.name, spec.project);
      const when = (what: Milestone): number | undefined => seen.get(keyOf(spec.project, shown, what));
      addTurns(run, add);
      if (spec.purpose === "execute") {
        add("an author's session starts", when("claimed"), opened);
        add("work is handed over and collected", last, when("submitted"));
        add("checks (waiting for a place, and running)", when("submitted"), when("reviewable"));
        add("waits for a reviewer", when("reviewable"), when("reviewing"));
        add("merge, with its checks", when("judged"), when("merged"));
        add("rework is asked for", when("judged"), seen.get(keyOf(spec.project, cycle + 1, "claimed")));
        add("agent is freed after the merge", when("merged"), when("freed"));
      } else {
        add("a reviewer's session starts", when("reviewing"), opened);
        add("verdict is recorded", last, when("judged"));
      }
    }
  }
  return phases;
}

/** Turns, tool calls and what the session does between them. */
function addTurns(
  run: readonly StampedEntry[],
  add: (phase: string, from?: number, to?: number) => void,
): void {
  for (const [index, entry] of run.entries()) {
    const before = run[index - 1];
    if (before === undefined) continue;
    const phase =
      entry.type === "assistant"
        ? "turns: the gateway, the upstream, the SDK"
        : entry.type === "done"
          ? "tool calls"
          : "the session writes down what it is about to do";
    add(phase, at(before), at(entry));
  }
}

function at(entry: StampedEntry | undefined): number | undefined {
  return entry === undefined ? undefined : Date.parse(entry.at);
}

/** A Review is named for its Project and the run under review. */
function cycleOf(review: string, project: string): number {
  return Number(review.slice(project.length + 1).split("-")[0]);
}
