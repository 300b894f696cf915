import { expect, test } from "vitest";
import type { Agent, Budget, Category, Project, ProjectEstimate } from "../../pkg/api/generated.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { API_VERSION, WORK_FINALIZER } from "../../pkg/api/names.ts";
import { type MoneyStanding, NANO_PER_USD } from "../../pkg/gateway/money.ts";
import { aBudget, aClaim, anAgent, aProject, condition, leaving, NOW } from "../testing/objects.ts";
import { openWorld } from "../testing/world.ts";
import { openQueue } from "./queue.ts";

/** A Project in the queue, after those of a lower number. */
function queued(
  number: number,
  usd: number,
  status: Project["status"] = {},
  spec: Partial<Project["spec"]> = {},
): Project {
  const estimate = {
    ...{ usd, lowUSD: usd, highUSD: usd, tokens: 1, lowTokens: 1, highTokens: 1 },
    ...{ coveragePercent: 75, projects: 7 },
  } satisfies ProjectEstimate;
  const name = `p-${number}`;
  const project = aProject({ number, estimate, creationRevision: String(number), ...status }, spec);
  return { ...project, metadata: { ...project.metadata, name, uid: name } };
}

/** What the gateway says: `spent` USD of each Budget. */
function standing(spent: Record<string, number>): MoneyStanding {
  const sums = { reserved: 0, spentTokens: 0, reservedTokens: 0, requests: 1, unsettled: 0 };
  // The window has opened at midnight, after the Budgets were last said to have too little.
  const window = { window: "2026-01-06", startMs: NOW + 43_200_000, endMs: NOW + 129_600_000, ...sums };
  const accounts = Object.entries(spent).map(([budget, usd]) => {
    const account = { ...window, spent: usd * NANO_PER_USD };
    return { budget, daily: account, monthly: account, boundViolated: false };
  });
  return { accounts, spent: [] };
}

/** An agent, and a Budget of so many dollars a day that holds for it alone. */
function paidBy(name: string, usd: number): readonly [Agent, Budget] {
  const agent = anAgent();
  const budget = aBudget({ daily: { usd }, selector: { matchLabels: { pays: name } } });
  return [
    { ...agent, metadata: { ...agent.metadata, name, uid: name, labels: { pays: name } } },
    { ...budget, metadata: { ...budget.metadata, name: `of-${name}`, uid: `of-${name}` } },
  ];
}

async function open(objects: readonly KubeObject[], spent: Record<string, number>) {
  const said = { now: standing(spent) };
  const world = await openWorld(objects, { money: { standing: async () => said.now } });
  return { ...world, said, queue: openQueue(world.deps) };
}

test("who has waited for money since before the window opened comes before those behind it, and nobody else", async () => {
  // Said at noon; of this window nine of ten dollars are left.
  const waits = { conditions: [condition("Affordable", "False", "TooLittleLeft")] };
  const projects = [queued(1, 1), queued(2, 9.5, waits), queued(3, 1)];
  const { queue } = await open([aBudget(), anAgent(), ...projects], { all: 1 });
  const found = await Promise.all(projects.map((project) => queue.standingOf(project)));
  expect(found).toMatchObject([
    { is: "Fits" },
    { is: "TooLittleLeft" },
    { is: "Behind", project: "p-2", since: "2026-01-05T12:00:00Z" },
  ]);
});

const paused: Category = {
  apiVersion: API_VERSION,
  kind: "Category",
  metadata: { name: "performance", namespace: "default", uid: "uid-of-performance", generation: 1 },
  spec: { mode: "Paused" },
};

test.each<{ name: string; spec?: Partial<Project["spec"]>; status?: Project["status"]; want: string }>([
  { name: "waits", want: "Behind" },
  { name: "is of a paused category", spec: { category: "performance" }, want: "Fits" },
  { name: "is for an agent that another Budget pays", spec: { assignedAgent: "agent-2" }, want: "Fits" },
  { name: "is skipped", spec: { skip: true }, want: "Fits" },
])("what is behind a Project that $name stands as $want", async ({ spec, want }) => {
  const waits = { conditions: [condition("Affordable", "False", "TooLittleLeft")] };
  const behind = queued(2, 1, {}, { assignedAgent: "agent-1" });
  const payers = [...paidBy("agent-1", 10), ...paidBy("agent-2", 10)];
  const { queue } = await open([paused, ...payers, queued(1, 9.5, waits, spec), behind], {
    ...{ "of-agent-1": 1, "of-agent-2": 1 },
  });
  expect(await queue.standingOf(behind)).toMatchObject({ is: want });
});

test.each([
  { name: "one has enough", usd: 3, want: { is: "Fits", purse: { budget: "of-agent-2" } } },
  {
    name: "one will have enough again",
    usd: 8,
    want: { is: "TooLittleLeft", purse: { budget: "of-agent-2" } },
  },
  { name: "none ever has enough", usd: 11, want: { is: "NeverFits", purse: { budget: "of-agent-1" } } },
])("a Project stands as with the agent that can pay best: $name", async ({ usd, want }) => {
  const project = queued(1, usd);
  const payers = [...paidBy("agent-1", 2), ...paidBy("agent-2", 10)];
  const { queue } = await open([...payers, project], { "of-agent-1": 0, "of-agent-2": 5 });
  expect(await queue.standingOf(project)).toMatchObject(want);
});

test("who is leaving takes up nothing, whatever it could pay", async () => {
  const [[poor, ofPoor], [rich, ofRich]] = [paidBy("agent-1", 2), paidBy("agent-2", 10)];
  const project = queued(1, 3);
  const gone = { ...rich, metadata: { ...leaving(rich).metadata, finalizers: [WORK_FINALIZER] } };
  const { queue } = await open([poor, ofPoor, gone, ofRich, project], { "of-agent-1": 0, "of-agent-2": 0 });
  expect(await queue.standingOf(project)).toMatchObject({ is: "NeverFits" });
});

test("a Project that is assigned stands as with its agent, whatever others could pay", async () => {
  const project = queued(1, 3, {}, { assignedAgent: "agent-1" });
  const payers = [...paidBy("agent-1", 2), ...paidBy("agent-2", 10)];
  const { queue } = await open([...payers, project], { "of-agent-1": 0, "of-agent-2": 0 });
  expect(await queue.standingOf(project)).toMatchObject({
    ...{ is: "NeverFits", purse: { budget: "of-agent-1" } },
  });
});

test("for some seconds one answer of the gateway does for all that wait, but not where a Budget is another", async () => {
  const project = queued(1, 8);
  const { queue, said, clock, deps } = await open([aBudget(), anAgent(), project], { all: 5 });
  const is = async () => (await queue.standingOf(project)).is;
  expect(await is()).toBe("TooLittleLeft");
  said.now = standing({ all: 0 });
  await clock.advance(2_000);
  expect(await is()).toBe("TooLittleLeft");
  await clock.advance(1);
  expect(await is()).toBe("Fits");
  // A person lowers the limit in that very moment.
  const key = { namespace: "default", name: "all" };
  await deps.client.patch("Budget", key, { spec: { daily: { usd: 7 } } });
  expect(await is()).toBe("NeverFits");
});

test("a Project that is let go is not said to lack what was kept for itself, though the gateway was just asked", async () => {
  const [working, waiting] = [queued(1, 8, { claim: aClaim() }), queued(2, 5)];
  const { queue, the, deps } = await open([aBudget(), anAgent(), working, waiting], { all: 0 });
  expect(await queue.standingOf(waiting)).toMatchObject({ is: "TooLittleLeft", purse: { left: { usd: 2 } } });
  const key = { namespace: "default", name: "p-1" };
  await deps.client.patch("Project", key, { status: { claim: null } }, { subresource: "status" });
  expect(await queue.standingOf(await the("Project", "p-1"))).toMatchObject({ is: "Fits" });
});

test("nothing holds a Project back without Budgets, nor while its cost can not be told", async () => {
  const project = queued(1, 1, { estimate: undefined });
  expect(await (await open([project], {})).queue.standingOf(project)).toEqual({ is: "NoLimit" });
  const { queue } = await open([aBudget(), project], { all: 10 });
  expect(await queue.standingOf(project)).toEqual({ is: "NoHistory" });
});
