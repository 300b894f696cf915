import { expect, test } from "vitest";
import type { Agent, Project, ProjectSpec, ProjectStatus } from "../../pkg/api/generated.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { WORK_FINALIZER } from "../../pkg/api/names.ts";
import { NANO_PER_USD } from "../../pkg/gateway/money.ts";
import type { Client } from "../../pkg/runtime/client.ts";
import { type Next, settled } from "../../pkg/runtime/controller.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import {
  aBudget,
  aClaim,
  anAgent,
  aProject,
  approved,
  aWorkspace,
  condition,
  leaving,
  submitted,
} from "../testing/objects.ts";
import { openWorld, type TestWorld } from "../testing/world.ts";
import { projectController } from "./controller.ts";

const kept = (object: Project, name = object.metadata.name): Project => ({
  ...object,
  metadata: { ...object.metadata, name, uid: `uid-of-${name}`, finalizers: [WORK_FINALIZER] },
});
const project = (status: ProjectStatus = {}, name = "retry", spec: Partial<ProjectSpec> = {}): Project =>
  kept(aProject(status, spec), name);
const claim = aClaim({ time: "2026-01-05T08:00:00Z" });
const spends = (usd: number) => ({ spent: async () => ({ cost: usd * NANO_PER_USD, tokens: usd * 1000 }) });

async function look({ deps }: TestWorld, name = "retry"): Promise<Next> {
  return projectController(deps).reconcile({ namespace: "default", name }, new AbortController().signal);
}
const statusIn = async ({ the }: TestWorld, name = "retry") => (await the("Project", name)).status ?? {};

const unnumbered = (name: string, spec: Partial<ProjectSpec> = {}): Project => {
  const { status: _, ...object } = aProject({}, spec);
  return { ...object, metadata: { ...object.metadata, name, uid: name } };
};

test("the number of a Project that is gone is given to no other", async () => {
  const objects = [aWorkspace({}, { lastNumber: 7 }), project({ number: 5 }), unnumbered("next")];
  const world = await openWorld(objects);
  await look(world, "next");
  expect((await statusIn(world, "next")).number).toBe(8);
});

test("numbers are given in order and never to another, not to one that came from GitHub either", async () => {
  const world = await openWorld([
    aWorkspace({}, { lastNumber: 4 }),
    project({ number: 5 }),
    unnumbered("next"),
    unnumbered("from-github", { github: { issue: 5 } }),
  ]);
  await look(world, "next");
  expect(await statusIn(world, "next")).toMatchObject({ number: 6, creationRevision: "3" });
  expect((await world.the("Workspace", "workspace")).status?.lastNumber).toBe(6);
  await expect(look(world, "from-github")).rejects.toMatchObject({ reason: "NumberTaken" });
});

test("a Project is kept by a finalizer beside those of others", async () => {
  const object = project();
  const metadata = { ...object.metadata, finalizers: ["example.com/backup"] };
  const world = await openWorld([aWorkspace(), { ...object, metadata }]);
  await look(world);
  const { finalizers } = (await world.the("Project", "retry")).metadata;
  expect(finalizers).toEqual(["example.com/backup", WORK_FINALIZER]);
});

const merged = { conditions: [condition("Merged", "True", "Merged")], mergeCommit: "merge-1" };

test("when a Project was done is said once; what its last requests cost is told until they are settled", async () => {
  const money = spends(1);
  const done = project({ ...merged, phase: "Merging", submission: submitted(), costUSD: 0.5 });
  const world = await openWorld([aWorkspace(), done], { money });
  expect(await look(world)).toEqual({ after: "ms", ms: 300_000 });
  const first = await statusIn(world);
  expect(first).toMatchObject({
    phase: "Done",
    completionTime: "2026-01-05T12:00:00Z",
    costUSD: 1,
    costTokens: 1000,
  });
  await world.clock.advance(300_000);
  money.spent = spends(2).spent;
  expect(await look(world)).toEqual(settled);
  expect(await statusIn(world)).toEqual({ ...first, costUSD: 2, costTokens: 2000 });
  await world.clock.advance(300_000);
  money.spent = spends(3).spent;
  await look(world);
  expect((await statusIn(world)).costUSD).toBe(2);
});

test("people see each phase on the way, and are told of those that nobody else tells", async () => {
  const status = { phase: "Working" as const, claim, submission: submitted(), verdict: approved() };
  const world = await openWorld([aWorkspace(), anAgent(), project(status)], { money: spends(1) });
  const phases: unknown[] = [];
  for (let again = true; again; phases.push((await statusIn(world)).phase))
    again = (await look(world)).after === "ms";
  expect(phases).toEqual(["InReview", "Approved"]);
  expect(world.said).toEqual(["Normal InReview"]);
});

test.each<{ name: string; agents: Agent[]; wantReleased: boolean }>([
  { name: "is there", agents: [anAgent()], wantReleased: false },
  { name: "is gone", agents: [], wantReleased: true },
  {
    name: "was made again under its name",
    agents: [{ ...anAgent(), metadata: { ...anAgent().metadata, uid: "another" } }],
    wantReleased: true,
  },
])("a claim whose agent $name is released: $wantReleased", async ({ agents, wantReleased }) => {
  const world = await openWorld([aWorkspace(), ...agents, project({ claim, phase: "Working" })], {
    money: { ...spends(1), standing: async () => undefined },
  });
  await look(world);
  const { claim: held, conditions } = await statusIn(world);
  expect(held?.session).toBe(wantReleased ? undefined : "s1");
  const claimed = conditions?.find(({ type }) => type === "Claimed");
  expect(claimed?.reason).toBe(wantReleased ? "AgentGone" : undefined);
});

test("work that has passed its limit is given up, its head named to the person who may let it go on", async () => {
  const agent = anAgent({ state: "Working", session: { id: "s1", liveSeconds: 28_800 } });
  const world = await openWorld([
    aWorkspace(),
    agent,
    project({ claim, phase: "Working", head: "aaaaaaaa" }),
  ]);
  expect(await look(world)).toEqual({ after: "ms", ms: 0 });
  const { items } = await world.deps.client.list("Escalation");
  expect(items.map(({ spec }) => spec)).toMatchObject([
    { project: "retry", reason: "TimedOut", commit: "aaaaaaaa" },
  ]);
  const { escalation, conditions } = await statusIn(world);
  expect(escalation).toBe(items[0]?.metadata.name);
  expect(conditions).toMatchObject([{ type: "Abandoned", status: "True", reason: "TimedOut" }]);
  expect(world.said).toEqual(["Warning TimedOut"]);
});

test("a Project waits for no person who could not be asked", async () => {
  const agent = anAgent({ state: "Working", session: { id: "s1", liveSeconds: 28_800 } });
  const world = await openWorld([aWorkspace(), agent, project({ claim, phase: "Working" })]);
  const client = {
    ...world.deps.client,
    async create(): Promise<never> {
      throw new TransientError("ApiUnreachable", "It does not answer.");
    },
  };
  const deps = { ...world.deps, client };
  await expect(look({ ...world, deps })).rejects.toThrow("It does not answer.");
  expect(await statusIn(world)).toEqual(project({ claim, phase: "Working" }).status);
});

/** Done, with what it cost where that is known. */
const finished = (name: string, costUSD?: number): Project =>
  project(
    {
      ...{ ...merged, phase: "Done", completionTime: "2026-01-05T08:00:00Z" },
      ...(costUSD === undefined ? {} : { costUSD, costTokens: 1000 * costUSD }),
    },
    name,
  );

test.each([
  { name: "three whose cost is known", costs: [2, 2, 2], want: { projects: 3, usd: 2 } },
  { name: "two, and one whose cost was never told", costs: [2, 2, undefined], want: undefined },
])("what a Project may cost is told from $name", async ({ costs, want }) => {
  const others = costs.map((usd, at) => finished(`done-${at}`, usd));
  const world = await openWorld([aWorkspace(), project({ phase: "Queued" }), ...others], {
    money: { standing: async () => ({ accounts: [], spent: [] }) },
  });
  await look(world);
  const { estimate, conditions } = await statusIn(world);
  if (want === undefined) expect(estimate).toBeUndefined();
  else expect(estimate).toMatchObject(want);
  expect(conditions?.find(({ type }) => type === "Affordable")?.reason).toBe("NoLimit");
});

test("where the gateway can't be asked what is left, what was said of it stays, and is asked for again", async () => {
  const said = condition("Affordable", "False", "TooLittleLeft");
  const others = [1, 2, 3].map((at) => finished(`done-${at}`, at));
  const waits = project({ phase: "Queued", conditions: [said] });
  const world = await openWorld([aWorkspace(), aBudget(), waits, ...others], {
    money: { standing: async () => undefined },
  });
  expect(await look(world)).toEqual({ after: "ms", ms: 120_000 });
  const { conditions } = await statusIn(world);
  expect(conditions?.find(({ type }) => type === "Affordable")).toEqual(said);
});

test.each<{ name: string; status: ProjectStatus; agents?: Agent[]; wantGone: boolean }>([
  { name: "that nobody works on", status: {}, wantGone: true },
  { name: "that its agent has not let go yet", status: { claim }, agents: [anAgent()], wantGone: false },
  { name: "whose agent is gone", status: { claim }, wantGone: true },
  {
    name: "whose agent was made again under its name",
    status: { claim },
    agents: [{ ...anAgent(), metadata: { ...anAgent().metadata, uid: "another" } }],
    wantGone: true,
  },
  {
    name: "whose merge is announced",
    status: { merge: { from: "a", to: "b", head: "c", time: "2026-01-05T12:00:00Z" } },
    wantGone: false,
  },
])("a Project $name goes when it is deleted: $wantGone", async ({ status, agents = [], wantGone }) => {
  const world = await openWorld([aWorkspace(), ...agents, leaving(project(status))]);
  expect(await look(world)).toEqual(settled);
  const { items } = await world.deps.client.list("Project");
  expect(items).toHaveLength(wantGone ? 0 : 1);
});

const budget = aBudget({}, { daily: { window: "2026-01-05", spentUSD: 0 } });
const heldBack = project(
  { phase: "Queued", conditions: [condition("Affordable", "False", "TooLittleLeft")] },
  "held-back",
);
const queued = project({ phase: "Queued", conditions: [condition("Affordable", "True", "Fits")] }, "queued");
const working = project(
  { phase: "Working", claim, claimNumber: 1, progressPercent: 0, tasksDone: [] },
  "working",
);
const queue = [aWorkspace(), budget, heldBack, queued, working, finished("done", 1)];
const status = (kind: "Project" | "Agent" | "Budget", name: string, next: object) => (client: Client) =>
  client.patch(kind, { namespace: "default", name }, { status: next }, { subresource: "status" });

test.each<{
  name: string;
  change: (client: Client) => Promise<unknown>;
  more?: KubeObject[];
  waitMs?: number;
  want: string[];
}>([
  {
    name: "what is spent moves: those that wait for money, after some seconds",
    change: status("Budget", "all", { daily: { spentUSD: 1 } }),
    waitMs: 15_000,
    want: ["held-back"],
  },
  {
    name: "a Budget is used up: all that wait, at once",
    change: status("Budget", "all", { conditions: [condition("Exceeded", "True")] }),
    want: ["held-back", "queued"],
  },
  {
    name: "one is begun: itself, and all that wait after some seconds",
    change: status("Project", "queued", { claimNumber: 1, claim: { ...claim, session: "s2" } }),
    waitMs: 5_000,
    want: ["held-back", "queued"],
  },
  {
    name: "one is let go: itself, and those that wait for money",
    change: status("Project", "working", { claim: null }),
    waitMs: 15_000,
    want: ["held-back", "working"],
  },
  {
    name: "limits of the Workspace change: those that are not over",
    change: (client) =>
      client.patch(
        "Workspace",
        { namespace: "default", name: "workspace" },
        { spec: { limits: { stuckSeconds: 900 } } },
      ),
    want: ["held-back", "queued", "working"],
  },
  {
    name: "its agent's session goes on a little: nobody",
    more: [anAgent({ state: "Working", session: { id: "s1", liveSeconds: 1 } })],
    change: status("Agent", "agent-1", { session: { liveSeconds: 600 } }),
    want: [],
  },
  {
    name: "its agent's session is at its limit: the Project",
    more: [anAgent({ state: "Working", session: { id: "s1", liveSeconds: 1 } })],
    change: status("Agent", "agent-1", { session: { liveSeconds: 28_800 } }),
    want: ["working"],
  },
])("Projects are looked at when $name", async ({ change, more = [], waitMs, want }) => {
  const world = await openWorld([...queue, ...more]);
  expect(await world.wokenBy(projectController, change, waitMs)).toEqual(want);
});
