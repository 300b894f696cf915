import { expect, test } from "vitest";
import type { Project, ProjectStatus, Review } from "../../pkg/api/generated.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { FIXES_BASELINE_LABEL } from "../../pkg/api/names.ts";
import type { SessionObservation, SessionReport } from "../../pkg/session/sessions.ts";
import type { Deps } from "../deps.ts";
import {
  aBudget,
  aClaim,
  anAgent,
  aProject,
  aReview,
  aWorkspace,
  condition,
  leaving,
  NOW,
} from "../testing/objects.ts";
import { observe } from "./observe.ts";

/** A world that holds these objects, in which the agent's session is seen so. */
function depsOf(
  objects: readonly KubeObject[],
  {
    session,
    isLatched = false,
    account,
  }: { session?: SessionObservation; isLatched?: boolean; account?: { boundViolated: boolean } } = {},
): Deps {
  const client = {
    get: async (kind: string, { name }: { name: string }) =>
      objects.find((object) => object.kind === kind && object.metadata.name === name),
    list: async (kind: string) => ({ items: objects.filter((object) => object.kind === kind) }),
  };
  const seen = session ?? { is: "absent", report: undefined };
  const world = {
    client,
    clock: { now: () => NOW },
    namespace: "default",
    sessions: { find: async () => seen },
    latch: { engaged: async () => isLatched },
    money: { usageLimits: async () => [], account: async () => account },
  };
  return world as unknown as Deps;
}

const report: SessionReport = {
  ...{ run: 1, turns: 3, liveSeconds: 60, lastActivityMs: NOW, heartbeatMs: NOW, tasksDone: [], busy: false },
};
const finished: SessionReport = { ...report, outcome: { kind: "Finished", summary: "Done.", evidence: [] } };
const agent = anAgent({ session: { id: "s1", run: 1 } });
const others = [aWorkspace({}, { conditions: [condition("BaselinePassing", "True")] }), aBudget()];

test.each([
  { what: "a Project that the claim says is its own", holds: true, claim: {} },
  { what: "a Project of an agent that had its name before", holds: false, claim: { agentUID: "before" } },
  {
    what: "a Project of another agent",
    holds: false,
    claim: { agent: "agent-2", agentUID: "uid-of-agent-2" },
  },
])("an agent has $what in hand: $holds", async ({ holds, claim }) => {
  const project = aProject({ claim: aClaim(claim) });
  const { work } = await observe(agent, depsOf([...others, project]));
  expect(work?.project?.metadata.name).toBe(holds ? "retry" : undefined);
});

test.each([
  { what: "a Review that the claim says is its own", holds: true, status: {} },
  { what: "a Review of an agent that had its name before", holds: false, status: { agentUID: "before" } },
  { what: "a Review of another agent", holds: false, status: { agent: "agent-2" } },
])("a reviewer has $what in hand: $holds", async ({ holds, status }) => {
  const claim = { agent: "agent-1", agentUID: "uid-of-agent-1", number: 1, session: "s1", ...status };
  const review = aReview({ state: "Reviewing", claim });
  const { work } = await observe(anAgent({}, { role: "Review" }), depsOf([...others, review, aProject()]));
  expect(work?.kind).toBe(holds ? "Review" : undefined);
});

test.each<{ what: string; isLatched: boolean; session: SessionObservation; hold: string | undefined }>([
  { what: "without a word", isLatched: true, session: { is: "absent", report }, hold: "Stopped" },
  { what: "without a word", isLatched: false, session: { is: "absent", report }, hold: undefined },
  // What it has to hand over is handed over: no session is needed for that.
  { what: "with its outcome", isLatched: true, session: { is: "absent", report: finished }, hold: undefined },
])(
  "a session that ended $what, the latch engaged: $isLatched, before the mode says so, is held: $hold",
  async (row) => {
    const project = aProject({ claim: aClaim() });
    const { hold } = await observe(agent, depsOf([...others, project], row));
    expect(hold?.reason).toBe(row.hold);
  },
);

test("a session that never began is not held by the latch: it is refused where it is started", async () => {
  const project = aProject({ claim: aClaim() });
  const { hold } = await observe(anAgent(), depsOf([...others, project], { isLatched: true }));
  expect(hold).toBeUndefined();
});

const labelled = (label: string): Project => {
  const project = aProject({ conditions: [condition("Affordable", "True")] });
  return { ...project, metadata: { ...project.metadata, labels: { [label]: "true" } } };
};
const branch = "agent-1/project-1";
const reassigned = { escalation: "retry-stuck-1", reason: "Stuck", action: "Reassign" as const };
const waits = (status: ProjectStatus = {}): Project =>
  aProject({ conditions: [condition("Affordable", "Unknown")], branch, ...status });
const colleague = { ...agent, metadata: { ...agent.metadata, name: "agent-2", uid: "uid-of-agent-2" } };
const red = aWorkspace({}, { conditions: [condition("BaselinePassing", "False")] });

test.each<{ what: string; objects: readonly KubeObject[]; could: boolean }>([
  { what: "a Project that waits", objects: [...others, waits()], could: true },
  { what: "one whose price is not known yet", objects: [...others, aProject()], could: false },
  { what: "one while the target's checks fail", objects: [red, aBudget(), waits()], could: false },
  { what: "one that mends them", objects: [red, aBudget(), labelled(FIXES_BASELINE_LABEL)], could: true },
  {
    what: "one that a person had it leave to others",
    objects: [...others, colleague, waits({ resolutions: [reassigned] })],
    could: false,
  },
  {
    what: "one that it was to leave to others, who are not there",
    objects: [...others, waits({ resolutions: [reassigned] })],
    could: true,
  },
  {
    what: "one that another left to it",
    objects: [...others, colleague, waits({ resolutions: [reassigned], branch: "agent-2/project-1" })],
    could: true,
  },
  {
    what: "one that a person said more of since",
    objects: [
      ...others,
      colleague,
      waits({ resolutions: [reassigned, { ...reassigned, action: "Continue" }] }),
    ],
    could: true,
  },
])("an agent could claim $what: $could", async ({ objects, could }) => {
  const { candidates } = await observe(anAgent(), depsOf([...objects, anAgent()]));
  expect(candidates.map(({ metadata }) => metadata.name)).toEqual(could ? ["retry"] : []);
});

test.each<{ what: string; review: Review; could: boolean }>([
  { what: "a Review that waits", review: aReview({ state: "Pending" }), could: true },
  { what: "one that another has", review: aReview({ state: "Reviewing" }), could: false },
  { what: "one of its own work", review: aReview({ state: "Pending" }, { author: "agent-9" }), could: false },
  { what: "one that ran out of time once", review: aReview({ state: "Pending", timeouts: 1 }), could: true },
  { what: "one that did twice", review: aReview({ state: "Pending", timeouts: 2 }), could: false },
  { what: "one that is being deleted", review: leaving(aReview({ state: "Pending" })), could: false },
])("a reviewer could claim $what: $could", async ({ review, could }) => {
  const plain = anAgent({}, { role: "Review" });
  const reviewer = { ...plain, metadata: { ...plain.metadata, name: "agent-9", uid: "uid-of-agent-9" } };
  const { candidates } = await observe(reviewer, depsOf([...others, reviewer, review]));
  expect(candidates.map(({ metadata }) => metadata.name)).toEqual(could ? ["retry-1"] : []);
});

const forOthers = aBudget({ selector: { matchLabels: { team: "web" } } });
const exceeded = aBudget({}, { conditions: [condition("Exceeded", "True")] });

test.each<{ what: string; objects: readonly KubeObject[]; hold: object | undefined }>([
  { what: "a Budget that has something left", objects: [red, aBudget()], hold: undefined },
  { what: "no Workspace", objects: [aBudget()], hold: { reason: "NoWorkspace", running: "GoesOn" } },
  {
    what: "everything stopped",
    objects: [aWorkspace({ mode: "Stopped" })],
    hold: { reason: "Stopped", running: "Now" },
  },
  {
    what: "all paused",
    objects: [aWorkspace({ mode: "Paused" }), aBudget()],
    hold: { reason: "WorkspacePaused", running: "AfterTurn" },
  },
  { what: "no Budget", objects: [red], hold: { reason: "NoBudget", running: "GoesOn" } },
  { what: "a Budget for others alone", objects: [red, forOthers], hold: { reason: "NoBudget" } },
  {
    what: "a Budget that is being deleted, which a finalizer holds",
    objects: [red, leaving(aBudget())],
    hold: { reason: "NoBudget", running: "GoesOn" },
  },
  {
    what: "a Budget used up that is being deleted, and another",
    objects: [red, leaving(exceeded), aBudget()],
    hold: undefined,
  },
  {
    what: "a Budget used up",
    objects: [red, exceeded],
    hold: { reason: "BudgetExceeded", running: "GoesOn" },
  },
])("an agent with $what is held: $hold", async ({ objects, hold: want }) => {
  const { hold, candidates } = await observe(anAgent(), depsOf([...objects, labelled(FIXES_BASELINE_LABEL)]));
  if (want === undefined) expect(hold).toBeUndefined();
  else expect(hold).toMatchObject(want);
  expect(candidates).toHaveLength(want === undefined ? 1 : 0);
});

const turnedAway: SessionReport = {
  ...{ ...report, outcome: { kind: "Paused", reason: "BoundViolated", message: "r-1 passed its bound." } },
};

test.each<{ what: string; account?: { boundViolated: boolean }; want: string | undefined }>([
  { what: "holds still", account: { boundViolated: true }, want: "r-1 passed its bound." },
  { what: "can't be asked for", want: "r-1 passed its bound." },
  { what: "was looked at by a person", account: { boundViolated: false }, want: undefined },
])("a session that was turned away for a violated bound that $what is held: $want", async (row) => {
  const objects = [...others, aProject({ claim: aClaim() })];
  const session = { is: "absent", report: turnedAway } as const;
  const { hold } = await observe(agent, depsOf(objects, { session, ...row }));
  expect(hold?.message).toBe(row.want);
});
