import { expect, test } from "vitest";
import type { Project, ProjectPhase, ProjectResolutionAction, ProjectStatus } from "./generated.ts";
import type { Condition } from "./meta.ts";
import { isClaimable, PHASE_EDGES, phaseOf } from "./phases.ts";

type Facts = ProjectStatus & { skip?: boolean };

const condition = (type: string): Condition => ({
  type,
  status: "True",
  reason: "Seen",
  message: "",
  lastTransitionTime: "2026-01-05T08:00:00Z",
});
const claim = (run: number): ProjectStatus => ({
  claim: { agent: "agent-1", agentUID: "u", number: 1, session: "s", run, criteria: [] },
});
const submission: ProjectStatus = { submission: { head: "aaa", run: 1, claim: 1, agent: "agent-1" } };
const approved: ProjectStatus = {
  ...submission,
  verdict: { head: "aaa", run: 1, result: "Approved", by: "agent-2" },
};
const rejected: ProjectStatus = {
  ...submission,
  verdict: { head: "aaa", run: 1, result: "ChangesRequested", by: "agent-2" },
};
const refused: ProjectStatus = {
  ...approved,
  mergeFailure: { head: "aaa", run: 1, reason: "Conflict", message: "" },
};
const merging: ProjectStatus = { ...approved, merge: { from: "t0", to: "t1", head: "aaa" } };
const escalated: ProjectStatus = { escalation: "a-stuck-1" };
const decided = (action: ProjectResolutionAction): ProjectStatus => ({
  resolutions: [{ escalation: "a-stuck-1", reason: "Stuck", action }],
});
const merged: ProjectStatus = { conditions: [condition("Merged")] };
const timedOut: ProjectStatus = { conditions: [condition("Abandoned")], escalation: "a-timed-out-1" };

const project = ({ skip = false, ...status }: Facts): Project => ({
  apiVersion: "bosun.dev/v1alpha1",
  kind: "Project",
  metadata: { name: "a" },
  spec: { title: "A", origin: "Human", skip },
  status: { number: 1, ...status },
});

/** Each edge of the table that this version walks: the facts before, and after the one thing that happens. */
const walks: readonly [string, Facts, ProjectPhase, Facts, ProjectPhase][] = [
  ["an agent claims it", {}, "Queued", claim(1), "Working"],
  ["a person skips it", {}, "Queued", { skip: true }, "Skipped"],
  ["a person gives up what waits", {}, "Queued", decided("Abandon"), "Abandoned"],
  ["the author hands over", claim(1), "Working", { ...claim(1), ...submission }, "InReview"],
  ["the agent lets go before it handed anything over", claim(1), "Working", {}, "Queued"],
  ["the agent lets go of a rework", { ...claim(2), ...rejected }, "Working", rejected, "ChangesRequested"],
  ["the session is stuck", claim(1), "Working", { ...claim(1), ...escalated }, "Escalated"],
  ["the time is up", claim(1), "Working", { ...claim(1), ...timedOut }, "Abandoned"],
  ["a person skips work in hand", claim(1), "Working", { ...claim(1), skip: true }, "Skipped"],
  [
    "the reviewer approves",
    { ...claim(1), ...submission },
    "InReview",
    { ...claim(1), ...approved },
    "Approved",
  ],
  [
    "the reviewer asks for changes",
    { ...claim(1), ...submission },
    "InReview",
    { ...claim(1), ...rejected },
    "ChangesRequested",
  ],
  ["the third reviewer asks for changes", submission, "InReview", { ...rejected, ...escalated }, "Escalated"],
  ["a person skips what is in review", submission, "InReview", { ...submission, skip: true }, "Skipped"],
  [
    "the next run begins",
    { ...claim(1), ...rejected },
    "ChangesRequested",
    { ...claim(2), ...rejected },
    "Working",
  ],
  ["another agent claims the rework", rejected, "ChangesRequested", { ...claim(2), ...rejected }, "Working"],
  ["a person skips a rework", rejected, "ChangesRequested", { ...rejected, skip: true }, "Skipped"],
  ["the merge is announced", approved, "Approved", merging, "Merging"],
  ["the merge conflicts", approved, "Approved", refused, "ChangesRequested"],
  [
    "the head moved",
    approved,
    "Approved",
    { ...approved, submission: { head: "bbb", run: 1, claim: 1, agent: "agent-1" } },
    "InReview",
  ],
  ["a protected path was changed", approved, "Approved", { ...approved, ...escalated }, "Escalated"],
  ["a person skips what is approved", approved, "Approved", { ...approved, skip: true }, "Skipped"],
  ["the target moved before the swap", merging, "Merging", approved, "Approved"],
  ["the target was swapped", merging, "Merging", { ...approved, ...merged }, "Done"],
  ["a person skips what merges, too late", merging, "Merging", { ...merging, skip: true }, "Merging"],
  [
    "a person grants another cycle",
    { ...rejected, ...escalated },
    "Escalated",
    { ...rejected, ...decided("Rework") },
    "ChangesRequested",
  ],
  ["a person lets work go on", escalated, "Escalated", decided("Continue"), "Queued"],
  [
    "a person approves",
    { ...rejected, ...escalated },
    "Escalated",
    { ...submission, ...decided("Approve") },
    "InReview",
  ],
  [
    "a person made room on the target",
    { ...refused, ...escalated },
    "Escalated",
    { ...approved, ...decided("Resolved") },
    "Approved",
  ],
  ["a person gives up", escalated, "Escalated", decided("Abandon"), "Abandoned"],
  ["a person takes it up again", timedOut, "Abandoned", decided("Continue"), "Queued"],
  ["a person puts it back", { skip: true }, "Skipped", {}, "Queued"],
  ["a person puts reviewed work back", { ...approved, skip: true }, "Skipped", approved, "Approved"],
];

test.each(walks)(
  "when %s, the phase follows along an edge of the table",
  (_what, before, from, after, to) => {
    expect([phaseOf(project(before)), phaseOf(project(after))]).toEqual([from, to]);
    if (from !== to) expect(PHASE_EDGES[from]).toContain(to);
  },
);

test("a decision is about one commit: a verdict on an older one says nothing", () => {
  const status = {
    ...claim(1),
    ...approved,
    submission: { head: "bbb", run: 1, claim: 1, agent: "agent-1" },
  };
  expect(phaseOf(project(status))).toBe("InReview");
});

test("a decision is about one run: what is handed over again as it was is judged again", () => {
  const again = { ...claim(2), submission: { head: "aaa", run: 2, claim: 1, agent: "agent-1" } };
  for (const decided of [approved, rejected, refused])
    expect(phaseOf(project({ ...decided, ...again }))).toBe("InReview");
});

test("only what needs work and has no agent can be claimed", () => {
  const claimable = [{}, rejected, refused].map((status) => isClaimable(project(status)));
  const not = [claim(1), submission, approved, merging, escalated, merged, timedOut, { skip: true }].map(
    (status) => isClaimable(project(status)),
  );
  expect([claimable, not]).toEqual([Array(3).fill(true), Array(8).fill(false)]);
});

test("what is being deleted, or has no number yet, can't be claimed", () => {
  const deleted = project({});
  deleted.metadata.deletionTimestamp = "2026-01-05T08:00:00Z";
  const unnumbered = { ...project({}), status: {} };
  expect([isClaimable(deleted), isClaimable(unnumbered)]).toEqual([false, false]);
});
