import { expect, test } from "vitest";
import type {
  Agent,
  AgentStatus,
  Project,
  ProjectStatus,
  ReviewClaim,
  ReviewStatus,
} from "../../pkg/api/generated.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import type { ChecksObservation, Finding } from "../../pkg/quality/quality.ts";
import { type Next, settled } from "../../pkg/runtime/controller.ts";
import type { Judgement, SessionObservation } from "../../pkg/session/sessions.ts";
import {
  aClaim,
  anAgent,
  aPool,
  aProject,
  aReview,
  aWorkspace,
  condition,
  NOW,
  submitted,
} from "../testing/objects.ts";
import { openWorld, type Parts, type TestWorld } from "../testing/world.ts";
import { reviewController } from "./controller.ts";

const green: ChecksObservation = {
  is: "done",
  passed: true,
  results: [{ name: "test", run: "npm test", result: "Passed", seconds: 1, output: "" }],
};
const pool = aPool("reviewers", { role: "Review" });
const reviewer = (status: AgentStatus = {}, paused = false): Agent => {
  const agent = anAgent(status, { role: "Review", pool: "reviewers", paused });
  return { ...agent, metadata: { ...agent.metadata, name: "agent-9", uid: "uid-of-agent-9" } };
};
const claim: ReviewClaim = { agent: "agent-9", agentUID: "uid-of-agent-9", number: 1, session: "s9" };
/** Handed over by agent-1, which waits for the review. */
const inReview = (status: ProjectStatus = {}): Project =>
  aProject({ phase: "InReview", claim: aClaim(), base: "bbbbbbbb", submission: submitted(), ...status });
const review = (status: ReviewStatus, name = "retry-1-aaaaaaa") => {
  const object = aReview(status);
  return { ...object, metadata: { ...object.metadata, name, uid: name } };
};
const present: SessionObservation = {
  ...{ is: "present", pid: 7, startedAtMs: NOW, pulse: "Regular" },
  report: {
    ...{ run: 1, turns: 3, liveSeconds: 100, lastActivityMs: NOW, heartbeatMs: NOW, tasksDone: [] },
    busy: false,
  },
};

interface Seen {
  session?: SessionObservation;
  findings?: readonly Finding[];
}

function partsOf({ session = present, findings = [] }: Seen = {}): Parts {
  return {
    quality: {
      checks: async () => green,
      inspect: async () => findings,
      subscribe: () => undefined,
    },
    sessions: { find: async () => session },
  };
}

const open = (objects: readonly KubeObject[], seen: Seen = {}) =>
  openWorld([aWorkspace(), pool, ...objects], partsOf(seen));
const look = ({ deps }: TestWorld): Promise<Next> =>
  reviewController(deps).reconcile({ namespace: "default", name: "retry" }, new AbortController().signal);
const conditionIn = async ({ the }: TestWorld, type: string) =>
  (await the("Project", "retry")).status?.conditions?.find((one) => one.type === type);

test("what is handed over gets a Review of its own; those of what was handed over before end, whoever has them", async () => {
  const before = [
    review({ state: "Reviewing", claim }, "retry-1-1111111"),
    review({ state: "Pending" }, "retry-1-2222222"),
    review({ state: "Settled", verdict: "ChangesRequested" }, "retry-1-3333333"),
  ];
  // What a person has changed since the work was begun is not what it is judged by.
  const criteria = [{ id: "AC-1", text: "It retries." }];
  const project = inReview({ reviewCycles: 1, claim: aClaim({ criteria }) });
  const edited = {
    ...project,
    spec: { ...project.spec, acceptanceCriteria: [{ id: "AC-9", text: "It sings." }] },
  };
  const world = await open([reviewer(), edited, ...before]);
  await look(world);
  const { items } = await world.deps.client.list("Review");
  const states = Object.fromEntries(items.map(({ metadata, status }) => [metadata.name, status?.state]));
  expect(states).toEqual({
    ...{ "retry-1-1111111": "Cancelled", "retry-1-2222222": "Cancelled", "retry-1-3333333": "Settled" },
    "retry-1-aaaaaaa": "Pending",
  });
  const made = await world.the("Review", "retry-1-aaaaaaa");
  expect(made.spec).toMatchObject({
    ...{ project: "retry", cycle: 2, author: "agent-1", summary: "Done." },
    ...{ baseCommit: "bbbbbbbb", headCommit: "aaaaaaaa", criteria },
  });
  expect(made.metadata.ownerReferences).toMatchObject([{ kind: "Project", name: "retry", controller: true }]);
  expect((await world.the("Project", "retry")).status?.review).toBe("retry-1-aaaaaaa");
});

const judgement: Judgement = {
  ...{ verdict: "ChangesRequested", criteria: [], standards: [], findings: ["upload.ts: no test"] },
  feedback: "Test it.",
};

test("a judgement is written into the Review, then sends the work back as one cycle more", async () => {
  const { report } = present;
  const session: SessionObservation = {
    is: "absent",
    report: { ...report, outcome: { kind: "Judged", judgement } },
  };
  const findings: Finding[] = [
    { kind: "WeakenedTest", path: "upload.test.ts", commit: "aaaaaaaa", message: "Skipped." },
  ];
  const seen = { session, findings };
  const world = await open([reviewer(), inReview(), review({ state: "Reviewing", claim })], seen);
  await look(world);
  expect((await world.the("Review", "retry-1-aaaaaaa")).status).toMatchObject({
    ...{ state: "Settled", verdict: "ChangesRequested", reviewer: "agent-9", feedback: "Test it." },
    findings: ["WeakenedTest upload.test.ts: Skipped.", "upload.ts: no test"],
  });
  await look(world);
  expect((await world.the("Project", "retry")).status).toMatchObject({
    verdict: {
      ...{ head: "aaaaaaaa", run: 1, result: "ChangesRequested", by: "agent-9", feedback: "Test it." },
      review: "retry-1-aaaaaaa",
    },
    reviewCycles: 1,
  });
});

test("what a person sends back is no review that asked for changes", async () => {
  const resolutions = [
    { escalation: "e-1", reason: "SecretFound", action: "Rework", commit: "aaaaaaaa" } as const,
  ];
  const findings: Finding[] = [{ kind: "Secret", path: "k.ts", commit: "aaaaaaaa", message: "A key." }];
  const world = await open([reviewer(), inReview({ reviewCycles: 1, resolutions })], { findings });
  await look(world);
  expect((await world.the("Project", "retry")).status).toMatchObject({
    verdict: { by: "person", result: "ChangesRequested" },
    reviewCycles: 1,
  });
});

const overdue: SessionObservation = { ...present, report: { ...present.report, liveSeconds: 7200 } };

test.each<{
  name: string;
  timeouts?: number;
  agents: Agent[];
  session?: SessionObservation;
  want: ReviewStatus;
  asked: string[];
}>([
  {
    name: "takes too long is another's, and is counted",
    agents: [reviewer()],
    session: overdue,
    want: { state: "Pending", timeouts: 1 },
    asked: [],
  },
  {
    name: "takes too long twice is a person's",
    timeouts: 1,
    agents: [reviewer()],
    session: overdue,
    want: { state: "Reviewing", timeouts: 1 },
    asked: ["ReviewTimedOut"],
  },
  {
    name: "has lost its agent is another's, and not counted",
    timeouts: 1,
    agents: [],
    want: { state: "Pending", timeouts: 1 },
    asked: [],
  },
])("a review that $name", async ({ timeouts = 0, agents, session, want, asked }) => {
  const object = review({ state: "Reviewing", claim, timeouts });
  const project = inReview({ review: object.metadata.name });
  const world = await open([...agents, project, object], session === undefined ? {} : { session });
  await look(world);
  const { status } = await world.the("Review", object.metadata.name);
  expect(status).toMatchObject(want);
  expect(status?.claim?.session).toBe(want.state === "Pending" ? undefined : "s9");
  const { items } = await world.deps.client.list("Escalation");
  expect(items.map(({ spec }) => spec.reason)).toEqual(asked);
});

test("after two reviews that timed out a person may have it reviewed once more, from the beginning", async () => {
  const resolutions = [
    { escalation: "e-1", reason: "ReviewTimedOut", action: "Resolved", commit: "aaaaaaaa" } as const,
  ];
  const world = await open([
    reviewer(),
    inReview({ resolutions }),
    review({ state: "Reviewing", timeouts: 2, claim }),
  ]);
  await look(world);
  const { status } = await world.the("Project", "retry");
  expect(status?.escalation).toBeUndefined();
  const { state, timeouts = 0 } = (await world.the("Review", status?.review ?? "")).status ?? {};
  expect({ state, timeouts }).toEqual({ state: "Pending", timeouts: 0 });
});

const judging = (liveSeconds: number): AgentStatus => ({
  session: { id: "s9", liveSeconds, lastLookTime: "2026-01-05T11:59:00Z" },
  conditions: [condition("Ready", "True", "Reviewing")],
});

test.each([
  {
    name: "its agent says is under way is looked at when its time may be over",
    agent: judging(100),
    wantMs: 7_040_000,
  },
  { name: "is nearly over is not looked at all the time", agent: judging(7139), wantMs: 60_000 },
  { name: "its agent says nothing of is looked at by and by", agent: {}, wantMs: 300_000 },
])("a review that $name", async ({ agent, wantMs }) => {
  const object = review({ state: "Reviewing", claim });
  const world = await open([reviewer(agent), inReview({ review: object.metadata.name }), object]);
  expect(await look(world)).toEqual({ after: "ms", ms: wantMs });
});

test.each([
  { name: "is there", agents: [reviewer()], want: "Available", said: [] },
  { name: "is paused", agents: [reviewer({}, true)], want: "NoReviewer", said: ["Warning NoReviewer"] },
  { name: "is not there", agents: [], want: "NoReviewer", said: ["Warning NoReviewer"] },
])("where a reviewer $name people read $want, and are told once", async ({ agents, want, said }) => {
  const object = review({ state: "Pending" });
  const world = await open([...agents, inReview({ review: object.metadata.name }), object]);
  expect(await look(world)).toEqual(settled);
  await look(world);
  expect((await conditionIn(world, "ReviewerAvailable"))?.reason).toBe(want);
  expect(world.said).toEqual(said);
});

test.each([
  { name: "stops reviewing", before: "Reviewing", after: "Judged", want: ["retry"] },
  { name: "begins to", before: "Idle", after: "Reviewing", want: [] },
])("a submission is looked at when its agent $name: $want", async ({ before, after, want }) => {
  const status = (reason: string): AgentStatus => ({
    ...(reason === "Idle" ? {} : { review: "retry-1-aaaaaaa" }),
    conditions: [condition("Ready", "True", reason)],
  });
  const world = await open([reviewer(status(before)), inReview(), review({ state: "Reviewing", claim })]);
  const key = { namespace: "default", name: "agent-9" };
  const woken = await world.wokenBy(reviewController, (client) =>
    client.patch("Agent", key, { status: status(after) }, { subresource: "status" }),
  );
  expect(woken).toEqual(want);
});

test("the end of checks wakes those that handed over that commit", async () => {
  let ended = (_commit: string): void => {};
  const parts = partsOf();
  const world = await openWorld([aWorkspace(), inReview()], {
    ...parts,
    quality: {
      ...parts.quality,
      subscribe(wake) {
        ended = wake;
      },
    },
  });
  const wokenBy = (commit: string) => world.wokenBy(reviewController, async () => ended(commit));
  expect(await wokenBy("of somebody else")).toEqual([]);
  expect(await wokenBy("aaaaaaaa")).toEqual(["retry"]);
});
