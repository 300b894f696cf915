import { expect, test } from "vitest";
import type { Agent, AgentPool } from "../../pkg/api/generated.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { POOL_LABEL, ROLE_LABEL, WORK_FINALIZER } from "../../pkg/api/names.ts";
import type { Kind } from "../../pkg/runtime/client.ts";
import { settled } from "../../pkg/runtime/controller.ts";
import type { Deps } from "../deps.ts";
import {
  aClaim,
  anAgent,
  aPool,
  aProject,
  aReview,
  condition,
  leaving as goingAway,
} from "../testing/objects.ts";
import { openWorld, type TestWorld } from "../testing/world.ts";
import { agentPoolController } from "./controller.ts";

function poolOf(replicas: number, name = "builders", labels: Record<string, string> = {}): AgentPool {
  const pool = aPool(name, { replicas });
  return { ...pool, metadata: { ...pool.metadata, labels } };
}

/** Stays until it is let go of, as one does that may have work. */
function agent(id: number, pool = "builders"): Agent {
  const object = anAgent({}, { pool });
  const name = `agent-${id}`;
  return {
    ...object,
    metadata: { ...object.metadata, name, uid: `uid-of-${name}`, finalizers: [WORK_FINALIZER] },
  };
}

/** Looks until there is nothing left to do. */
async function settle({ deps }: TestWorld, name = "builders"): Promise<void> {
  const controller = agentPoolController(deps);
  const look = () => controller.reconcile({ namespace: "default", name }, new AbortController().signal);
  for (let looks = 0; looks < 20; looks += 1) if ((await look()) === settled) return;
  throw new Error(`The pool ${name} does not come to rest`);
}

async function agentsIn({ deps }: TestWorld) {
  const { items } = await deps.client.list("Agent", { namespace: "default" });
  const names = (of: readonly Agent[]) => of.map(({ metadata }) => metadata.name).sort();
  return {
    staying: names(items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)),
    going: names(items.filter(({ metadata }) => metadata.deletionTimestamp !== undefined)),
  };
}

const readyIn = async ({ the }: TestWorld, name = "builders") =>
  (await the("AgentPool", name)).status?.conditions?.find(({ type }) => type === "Ready");

test("agents get the smallest numbers that no pool has, what a Budget selects them by, and are kept while they have work", async () => {
  // A person copied the manifest of another pool.
  const pool = poolOf(2, "builders", { team: "web", [POOL_LABEL]: "others", [ROLE_LABEL]: "Review" });
  const world = await openWorld([pool, poolOf(1, "others"), agent(2, "others")]);
  await settle(world);
  expect((await agentsIn(world)).staying).toEqual(["agent-1", "agent-2", "agent-3"]);
  const made = await world.the("Agent", "agent-3");
  expect(made.metadata).toMatchObject({
    labels: { team: "web", [POOL_LABEL]: "builders", [ROLE_LABEL]: "Execution" },
    finalizers: [WORK_FINALIZER],
  });
  expect(made.spec).toMatchObject({ pool: "builders", role: "Execution" });
});

test("one that leaves counts no more, and keeps its number until it is gone", async () => {
  const world = await openWorld([poolOf(1), goingAway(agent(1))]);
  await settle(world);
  expect(await agentsIn(world)).toEqual({ staying: ["agent-2"], going: ["agent-1"] });
});

test("a workspace has ten agents at most over all pools, which is said once", async () => {
  const others = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((id) => agent(id, "others"));
  const world = await openWorld([poolOf(3), ...others]);
  await settle(world);
  await settle(world);
  expect((await agentsIn(world)).staying).toHaveLength(10);
  expect(await readyIn(world)).toMatchObject({ status: "False", reason: "AgentLimit" });
  expect(world.said).toEqual(["Warning AgentLimit"]);
});

const inHand = { agent: "agent-10", agentUID: "uid-of-agent-10", number: 1, session: "s10" };
const held: readonly { name: string; objects: readonly KubeObject[] }[] = [
  { name: "a Project", objects: [aProject({ claim: aClaim({ ...inHand, run: 1 }) })] },
  { name: "a Review", objects: [aReview({ state: "Reviewing", claim: inHand })] },
];

test.each(held)(
  "who has $name in hand stays; of the others the highest numbers go first",
  async ({ objects }) => {
    const world = await openWorld([poolOf(2), agent(1), agent(2), agent(9), agent(10), ...objects]);
    await settle(world);
    expect(await agentsIn(world)).toEqual({
      staying: ["agent-1", "agent-10"],
      going: ["agent-2", "agent-9"],
    });
  },
);

test("all agents of a pool that is gone go, and none of another", async () => {
  const objects = [agent(1), agent(2), poolOf(1, "others"), agent(3, "others")];
  const world = await openWorld([...objects, aProject({ claim: aClaim() })]);
  await settle(world);
  expect(await agentsIn(world)).toEqual({ staying: ["agent-3"], going: ["agent-1", "agent-2"] });
});

test("an agent that was made again under its name is not taken for the one that was to go", async () => {
  const { metadata, ...object } = agent(1);
  const before = { ...object, metadata: { ...metadata, finalizers: [] } };
  const world = await openWorld([poolOf(0), before]);
  const { client } = world.deps;
  const list = async (kind: Kind) => (kind === "Agent" ? { items: [before] } : client.list(kind));
  // What the look was told is not so any more when it deletes.
  const late = { ...world.deps, client: { ...client, list } } as unknown as Deps;
  await client.delete("Agent", { namespace: "default", name: "agent-1" });
  await client.create("Agent", anAgent());
  await expect(settle({ ...world, deps: late })).rejects.toMatchObject({ reason: "Conflict" });
  expect((await agentsIn(world)).staying).toEqual(["agent-1"]);
});

test("a pool says how many it has, and how many of them are ready and at work", async () => {
  const ready = { ...agent(1), status: { project: "retry", conditions: [condition("Ready", "True")] } };
  const world = await openWorld([poolOf(3), ready, agent(2)]);
  await settle(world);
  expect((await world.the("AgentPool", "builders")).status).toMatchObject({
    ...{ replicas: 3, readyReplicas: 1, workingReplicas: 1, selector: `${POOL_LABEL}=builders` },
  });
  expect(await readyIn(world)).toMatchObject({ status: "True", reason: "Complete" });
});

test.each([
  {
    name: "its number of agents: all, since they share the numbers",
    objects: [poolOf(1), poolOf(1, "others")],
    change: { kind: "AgentPool" as const, name: "builders", spec: { replicas: 2 } },
    want: ["builders", "others"],
  },
  {
    name: "an agent of one that is gone: that one too",
    objects: [poolOf(1), agent(1), agent(2, "gone")],
    change: { kind: "Agent" as const, name: "agent-1", spec: { paused: true } },
    want: ["builders", "gone"],
  },
])("pools are looked at because of $name", async ({ objects, change: { kind, name, spec }, want }) => {
  const world = await openWorld(objects);
  const woken = await world.wokenBy(agentPoolController, (client) =>
    client.patch(kind, { namespace: "default", name }, { spec }),
  );
  expect(woken).toEqual(want);
});
