import { expect, test } from "vitest";
import type {
  Agent,
  AgentSpec,
  AgentStatus,
  Category,
  Project,
  ProjectStatus,
} from "../../pkg/api/generated.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { API_VERSION } from "../../pkg/api/names.ts";
import { loadPrompts } from "../../pkg/prompts/load.ts";
import type { Client } from "../../pkg/runtime/client.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import type { Outcome, SessionObservation, SessionReport } from "../../pkg/session/sessions.ts";
import { budgetMark } from "../budget-mark.ts";
import {
  aBudget,
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
import { agentController } from "./controller.ts";

const pool = aPool();
const workspace = aWorkspace({}, { conditions: [condition("BaselinePassing", "True")] });
const budget = aBudget();
const sound = [workspace, pool, budget];

function named<T extends KubeObject>(name: string, object: T, labels: Record<string, string> = {}): T {
  return { ...object, metadata: { ...object.metadata, name, uid: `uid-of-${name}`, labels } };
}

const agent = (status: AgentStatus = {}, name = "agent-1", spec: Partial<AgentSpec> = {}): Agent =>
  named(name, anAgent(status, spec));
const claimed = (status: ProjectStatus = {}): Project =>
  aProject({ claimNumber: 1, claim: aClaim({ branch: "agent-1/project-1" }), phase: "Working", ...status });
const report: SessionReport = {
  ...{ run: 1, turns: 3, liveSeconds: 160.7, lastActivityMs: NOW, heartbeatMs: NOW, tasksDone: [] },
  busy: false,
};
const present: SessionObservation = {
  ...{ is: "present", report, pid: 7, startedAtMs: NOW, pulse: "Regular" },
};
const ended = (outcome?: Outcome): SessionObservation => ({
  is: "absent",
  report: outcome === undefined ? report : { ...report, outcome },
});

/** A world in which the session is seen as `session`, and one that is started as `started`. */
function partsOf(session: SessionObservation, started: SessionObservation | Error = present): Parts {
  return {
    latch: { engaged: async () => false },
    money: { usageLimits: async () => [], dismiss: async () => undefined },
    prompts: { execute: () => ({ system: "", message: "" }), rework: () => ({ message: "" }) },
    sessions: {
      find: async () => session,
      spareId: () => undefined,
      async start() {
        if (started instanceof Error) throw started;
        return started;
      },
    },
    repository: {
      claimNumber: async () => 0,
      recordClaim: async () => undefined,
      ensureCheckout: async () => ({ path: "/work", branch: "b", base: "base", id: "c" }),
      checkoutState: async () => ({
        is: "present",
        value: { head: "aaaaaaaa", dirty: false, fingerprint: "same" },
      }),
    },
  };
}

/** What one look at the agent brings, and what it says of itself then. */
async function look({ deps, the }: TestWorld, name = "agent-1") {
  const key = { namespace: "default", name };
  const next = await agentController(deps).reconcile(key, new AbortController().signal);
  return { next, status: (await the("Agent", name)).status ?? {} };
}

test("of two Projects for which the money of one is left one begins, though two agents look at the same moment", async () => {
  const estimate = {
    ...{ usd: 6, lowUSD: 1, highUSD: 9, tokens: 1, lowTokens: 1, highTokens: 1 },
    ...{ coveragePercent: 75, projects: 7 },
  };
  const conditions = [condition("Affordable", "True")];
  const agents = [agent(), agent({}, "agent-2")];
  const projects = agents.map(({ metadata: { name } }) =>
    named(`for-${name}`, aProject({ estimate, conditions }, { assignedAgent: name })),
  );
  const sums = { spent: 0, reserved: 0, spentTokens: 0, reservedTokens: 0, requests: 0, unsettled: 0 };
  const account = { ...sums, window: "2026-01-05", startMs: NOW, endMs: NOW + 1000 };
  const standing = async (of: readonly string[]) => ({
    accounts: [{ budget: "all", daily: account, monthly: account, boundViolated: false }],
    spent: of.map(() => ({ cost: 0, tokens: 0 })),
  });
  const parts = partsOf({ is: "absent", report: undefined });
  const world = await openWorld([...sound, ...agents, ...projects], {
    ...parts,
    money: { ...parts.money, standing },
  });
  const controller = agentController(world.deps);
  const looks = agents.map(({ metadata: { name } }) =>
    controller.reconcile({ namespace: "default", name }, new AbortController().signal),
  );
  const [first, second] = await Promise.allSettled(looks);
  expect(first?.status).toBe("fulfilled");
  expect(second).toMatchObject({ reason: { reason: "Conflict" } });
  const { items } = await world.deps.client.list("Project");
  expect(items.map(({ status }) => status?.claim?.agent)).toEqual(["agent-1", undefined]);
});

test("a claim that can't be made keeps nobody from the next", async () => {
  const parts = partsOf({ is: "absent", report: undefined });
  const repository = {
    ...parts.repository,
    async claimNumber(project: string): Promise<number> {
      if (project === "for-agent-1") throw new TransientError("RepositoryUnreadable", "It can't be read.");
      return 0;
    },
  };
  const agents = [agent(), agent({}, "agent-2")];
  const projects = agents.map(({ metadata: { name } }) =>
    named(
      `for-${name}`,
      aProject({ conditions: [condition("Affordable", "True")] }, { assignedAgent: name }),
    ),
  );
  const world = await openWorld([...sound, ...agents, ...projects], { ...parts, repository });
  const controller = agentController(world.deps);
  const looks = agents.map(({ metadata: { name } }) =>
    controller.reconcile({ namespace: "default", name }, new AbortController().signal),
  );
  const [first] = await Promise.allSettled(looks);
  expect(first).toMatchObject({ reason: { reason: "RepositoryUnreadable" } });
  const { items } = await world.deps.client.list("Project");
  expect(items.map(({ status }) => status?.claim?.agent)).toEqual([undefined, "agent-2"]);
});

const known = { id: "s1", run: 1, claim: 1, pid: 7, liveSeconds: 100, unchangedSeconds: 50 };

test.each([
  { name: "that stands still counts what has passed", fingerprint: "same", want: { unchangedSeconds: 110 } },
  {
    name: "that changed something counts anew",
    fingerprint: "another",
    want: { unchangedSeconds: 0, fingerprint: "same", lastChangeTime: "2026-01-05T12:00:00Z" },
  },
])("a session $name", async ({ fingerprint, want }) => {
  const status: AgentStatus = { state: "Working", session: { ...known, fingerprint } };
  const world = await openWorld([...sound, agent(status), claimed()], partsOf(present));
  const { session } = (await look(world)).status;
  expect(session).toMatchObject({ liveSeconds: 160, busy: "No", ...want });
});

test.each<{ name: string; before?: AgentStatus; spec?: Partial<AgentSpec>; want: object }>([
  {
    name: "what a request was refused under, and the wait",
    before: { budgetMark: "all:2026-01-04", nextStartTime: "2026-01-05T11:00:00Z", failures: 2 },
    want: { budgetMark: undefined, nextStartTime: undefined, failures: 2 },
  },
  {
    name: "that it was asked to start anew, and that it failed",
    before: { failures: 2, nextStartTime: "2026-01-05T13:00:00Z" },
    spec: { restartedAt: "2026-01-05T12:00:00Z" },
    want: {
      ...{ failures: 0, nextStartTime: undefined },
      session: expect.objectContaining({ restartedAt: "2026-01-05T12:00:00Z" }),
    },
  },
])("a session that goes on leaves behind $name", async ({ before, spec, want }) => {
  const status: AgentStatus = { state: "Paused", session: known, ...before };
  const refusal: Outcome = { kind: "Paused", reason: "BudgetExceeded", message: "Too little is left." };
  const outcome = spec === undefined ? refusal : undefined;
  const world = await openWorld(
    [...sound, agent(status, "agent-1", spec), claimed()],
    partsOf(ended(outcome)),
  );
  const after = (await look(world)).status;
  expect(after.state).toBe("Working");
  // What is undefined is not there at all.
  expect({ budgetMark: undefined, nextStartTime: undefined, failures: 0, ...after }).toMatchObject(want);
});

test("a session that is refused once more, in another window, waits for the next as it did for this one", async () => {
  const refusal: Outcome = { kind: "Paused", reason: "BudgetExceeded", message: "Too little is left." };
  const status: AgentStatus = { state: "Paused", session: known, budgetMark: "all:2026-01-04" };
  const world = await openWorld(
    [...sound, agent(status), claimed()],
    partsOf(ended(refusal), ended(refusal)),
  );
  await look(world);
  await look(world);
  expect((await look(world)).status).toMatchObject({ state: "Paused", budgetMark: budgetMark(budget) });
});

test.each([
  { name: "lives", started: present, wantMs: 300_000 },
  { name: "has ended at once, which nobody else tells", started: ended(), wantMs: 0 },
])("a session that $name is looked at again in $wantMs ms", async ({ started, wantMs }) => {
  const world = await openWorld(
    [...sound, agent({ state: "Working" }), claimed()],
    partsOf(ended(), started),
  );
  const { next, status } = await look(world);
  expect(next).toEqual({ after: "ms", ms: wantMs });
  expect(status.session).toMatchObject({ id: "s1", liveSeconds: 160, startLiveSeconds: 160, startTurns: 3 });
});

const conflict = {
  ...{ head: "aaaaaaaa", reason: "Conflict", message: "Merge main-1 into it.", target: "main-1" },
  files: ["upload.ts"],
};

test.each([
  { name: "merge: with the commit to merge and the files", failedRun: 1, want: true },
  { name: "review, after a merge that failed before: with nothing of that", failedRun: 0, want: false },
])("an agent goes on from what it handed over, and is told what came of its $name", async (row) => {
  const next = claimed({
    ...{ head: "aaaaaaaa", submission: submitted(), mergeFailure: { ...conflict, run: row.failedRun } },
    claim: aClaim({ branch: "agent-1/project-1", from: "11111111", run: 2, message: "What now?" }),
  });
  const parts = partsOf(ended());
  let checkedOut: string | undefined;
  let message = "";
  const world = await openWorld([...sound, agent({ state: "Working" }), next], {
    ...parts,
    prompts: loadPrompts("prompts"),
    repository: {
      ...parts.repository,
      async ensureCheckout(_claim, { from }) {
        checkedOut = from;
        return { path: "/work", branch: "b", base: "base", id: "c" };
      },
    },
    sessions: {
      ...parts.sessions,
      async start(told) {
        message = told.message;
        return present;
      },
    },
  });
  await look(world);
  expect(checkedOut).toBe("aaaaaaaa");
  expect(message).toContain("What now?");
  expect({ target: message.includes("main-1"), files: message.includes("upload.ts") }).toEqual({
    ...{ target: row.want, files: row.want },
  });
});

test("turns of a run before are not counted as those before the start of the next", async () => {
  const next = claimed({ claim: aClaim({ branch: "agent-1/project-1", run: 2 }) });
  const world = await openWorld([...sound, agent({ state: "Working" }), next], partsOf(ended()));
  expect((await look(world)).status.session).toMatchObject({ id: "s1", run: 2, startTurns: 0 });
});

test("a session whose start an operator did not live to report is named, and watched from then on", async () => {
  const world = await openWorld([...sound, agent({ state: "Working" }), claimed()], partsOf(present));
  const { status } = await look(world);
  expect(status).toMatchObject({ project: "retry", phase: "Working", session: { id: "s1", run: 1, pid: 7 } });
});

test("a session of another claim that can't be ended stays named: nobody else would end it", async () => {
  const parts = partsOf(present);
  const stop = async (): Promise<never> => {
    throw new TransientError("SessionLives", "It does not end.");
  };
  const status: AgentStatus = { state: "Working", session: { ...known, id: "s0" } };
  const world = await openWorld([...sound, agent(status), claimed()], {
    ...parts,
    sessions: { ...parts.sessions, stop },
  });
  await expect(look(world)).rejects.toThrow("It does not end.");
  expect((await world.the("Agent", "agent-1")).status?.session?.id).toBe("s0");
});

test("a reviewer names what it reviews, and how far that has come", async () => {
  const reviewing = agent({ state: "Reviewing", session: { ...known, id: "s9" } }, "agent-9", {
    role: "Review",
  });
  const review = aReview({ state: "Reviewing", claim: inHand });
  const project = claimed({ submission: submitted() });
  const world = await openWorld([...sound, reviewing, review, project], partsOf(present));
  expect((await look(world, "agent-9")).status).toMatchObject({
    ...{ review: "retry-1", project: "retry", phase: "InReview", activity: "reviewing" },
  });
});

test("a host that can't be started counts as a bad end, so that no restart of the operator tries it sooner", async () => {
  const failure = new TransientError("HostNotStarted", "There is no file that is to be run.");
  const world = await openWorld(
    [...sound, agent({ state: "Working" }), claimed()],
    partsOf(ended(), failure),
  );
  const { status } = await look(world);
  expect(status).toMatchObject({
    ...{ state: "Failed", failures: 1, errors: 1, nextStartTime: "2026-01-05T12:00:07Z" },
    lastError: "There is no file that is to be run.",
  });
  expect(world.said).toEqual(["Warning SessionFailed"]);
});

test("what failed is tried at once where a person changed what it depends on, and waits where nobody did", async () => {
  const status: AgentStatus = {
    ...{ state: "Working", failures: 1 },
    session: { ...known, startTurns: 3, startLiveSeconds: 100 },
  };
  const world = await openWorld([...sound, agent(status), claimed()], partsOf(ended()));
  await look(world);
  expect((await look(world)).status).toMatchObject({ state: "Failed", failures: 2 });
  await spec("AgentPool", "builders", { model: "claude-opus-5" })(world.deps.client);
  const after = (await look(world)).status;
  expect(after).toMatchObject({ state: "Working", failures: 0 });
  expect(after.nextStartTime).toBeUndefined();
});

test.each([
  { name: "witnessed", session: ended(), want: 2 },
  { name: "that nobody witnessed", session: { ...ended(), unwitnessed: true as const }, want: 1 },
])("a bad end $name is held against the work $want times", async ({ session, want }) => {
  const status: AgentStatus = {
    ...{ state: "Working", failures: 1 },
    session: { ...known, failures: 1, startTurns: 3, startLiveSeconds: 100 },
  };
  const world = await openWorld([...sound, agent(status), claimed()], partsOf(session));
  const after = (await look(world)).status;
  expect(after).toMatchObject({ state: "Failed", failures: 2, session: { failures: want } });
});

const category = (mode: Category["spec"]["mode"]): Category => ({
  apiVersion: API_VERSION,
  kind: "Category",
  metadata: { name: "performance", namespace: "default", uid: "uid-of-performance", generation: 1 },
  spec: { mode },
});
const idle = agent({}, "agent-2");
const reviewer = agent({ session: { id: "s9" } }, "agent-9", { role: "Review", pool: "reviewers" });
const inHand = { agent: "agent-9", agentUID: "uid-of-agent-9", number: 1, session: "s9" };
const at = agent({ project: "retry", session: { id: "s1" } });
const status =
  (kind: "Project" | "Workspace" | "Review" | "Budget", name: string, next: object) => (client: Client) =>
    client.patch(kind, { namespace: "default", name }, { status: next }, { subresource: "status" });
const spec =
  (kind: "Project" | "Workspace" | "AgentPool" | "Category", name: string, next: object) =>
  (client: Client) =>
    client.patch(kind, { namespace: "default", name }, { spec: next });

const wakes: readonly {
  name: string;
  objects: readonly KubeObject[];
  change: (client: Client) => Promise<unknown>;
  want: readonly string[];
}[] = [
  {
    name: "a target whose checks pass again: who has nothing in hand",
    objects: [aWorkspace({}, { conditions: [condition("BaselinePassing", "False")] }), at, idle, claimed()],
    change: status("Workspace", "workspace", { conditions: [condition("BaselinePassing", "True")] }),
    want: ["agent-2"],
  },
  {
    name: "a mode: everybody",
    objects: [workspace, at, idle, claimed()],
    change: spec("Workspace", "workspace", { mode: "Paused" }),
    want: ["agent-1", "agent-2"],
  },
  {
    name: "a pool: its agents",
    objects: [pool, idle, reviewer],
    change: spec("AgentPool", "builders", { paused: true }),
    want: ["agent-2"],
  },
  {
    name: "a Project whose price becomes known: who is free to take it up, and no reviewer",
    objects: [at, idle, agent({}, "agent-8", { role: "Review" }), aProject()],
    change: status("Project", "retry", { conditions: [condition("Affordable", "True")] }),
    want: ["agent-2"],
  },
  {
    name: "a Project whose price is not known yet: nobody",
    objects: [at, idle, aProject()],
    change: status("Project", "retry", { extraCycles: 1 }),
    want: [],
  },
  {
    name: "a Project that is let go: who had it, and who is free",
    objects: [at, idle, claimed({ conditions: [condition("Affordable", "True")] })],
    change: status("Project", "retry", { claim: null }),
    want: ["agent-1", "agent-2"],
  },
  {
    name: "a Project in review that a person has skipped: its agent and its reviewer",
    objects: [
      at,
      idle,
      reviewer,
      claimed({ submission: submitted() }),
      aReview({ state: "Reviewing", claim: inHand }),
    ],
    change: spec("Project", "retry", { skip: true }),
    want: ["agent-1", "agent-9"],
  },
  {
    name: "a Review that can be claimed: reviewers who are free",
    objects: [
      idle,
      reviewer,
      agent({}, "agent-8", { role: "Review" }),
      aReview({ state: "Reviewing", claim: inHand }),
    ],
    change: status("Review", "retry-1", { state: "Pending", claim: null }),
    want: ["agent-8", "agent-9"],
  },
  {
    name: "a category that is paused: who is at its Projects",
    objects: [category("Enabled"), at, idle, aProject({ claim: aClaim() }, { category: "performance" })],
    change: spec("Category", "performance", { mode: "Paused" }),
    want: ["agent-1"],
  },
  {
    name: "a category that goes on: who is at its Projects, and who is free to take one up",
    objects: [category("Paused"), at, idle, aProject({ claim: aClaim() }, { category: "performance" })],
    change: spec("Category", "performance", { mode: "Enabled" }),
    want: ["agent-1", "agent-2"],
  },
  {
    name: "a Budget that is used up: everybody",
    objects: [budget, at, idle, claimed()],
    change: status("Budget", "all", { conditions: [condition("Exceeded", "True")] }),
    want: ["agent-1", "agent-2"],
  },
  {
    name: "a window of a Budget that is over: everybody",
    objects: [aBudget({}, { daily: { window: "2026-01-04" } }), at, idle, claimed()],
    change: status("Budget", "all", { daily: { window: "2026-01-05" } }),
    want: ["agent-1", "agent-2"],
  },
  {
    name: "what is spent of a Budget: nobody",
    objects: [aBudget({}, { daily: { window: "2026-01-05", spentUSD: 0 } }), at, idle, claimed()],
    change: status("Budget", "all", { daily: { spentUSD: 1 } }),
    want: [],
  },
];

test.each(wakes)("agents look because of $name", async ({ objects, change, want }) => {
  const parts: Parts = { sessions: { subscribe: () => undefined }, latch: { subscribe: () => undefined } };
  const world = await openWorld(objects, parts);
  expect(await world.wokenBy(agentController, change)).toEqual(want);
});
