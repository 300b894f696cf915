/** Keeps as many Agents as a pool asks for, ten over all pools at most: this is where that rule is kept. */
import { isTrue } from "../../pkg/api/conditions.ts";
import type { Agent, AgentPool } from "../../pkg/api/generated.ts";
import type { ObjectKey } from "../../pkg/api/meta.ts";
import {
  AGENTS_MAX,
  API_VERSION,
  agentId,
  agentName,
  POOL_LABEL,
  ROLE_LABEL,
  WORK_FINALIZER,
} from "../../pkg/api/names.ts";
import { isAlreadyExists, isNotFound } from "../../pkg/api/status-error.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { type Deps, whenOf, withConditions } from "../deps.ts";
import { agentStanding, declared, isAtWork } from "../facts.ts";

/** Counts for people may come a little late, in milliseconds. */
const countAfterMs = 120_000;

export function agentPoolController(deps: Deps): Controller {
  const { client, clock, namespace, events } = deps;
  return {
    name: "agentpool",
    concurrency: 1,
    watches: [
      { kind: "Agent", by: declared, map: everyPool },
      { kind: "Agent", by: agentStanding, map: (agent) => [ofAgent(agent as Agent)], delayMs: countAfterMs },
      { kind: "AgentPool", by: declared, map: everyPool },
    ],

    async reconcile(key: ObjectKey): Promise<Next> {
      const pool = await client.get("AgentPool", key);
      const { items: all } = await client.list("Agent", { namespace });
      const own = all.filter(({ spec }) => spec.pool === key.name);
      if (pool === undefined || pool.metadata.deletionTimestamp !== undefined) {
        const [last] = leaving(own, await claimants());
        if (last !== undefined) await remove(last);
        return last === undefined ? settled : inSeconds(0);
      }
      const wanted = pool.spec.replicas;
      const staying = own.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      const id = staying.length < wanted ? smallestFree(all) : undefined;
      await report(pool, own, staying.length < wanted && id === undefined);
      if (id !== undefined) {
        await add(pool, id);
        return inSeconds(0);
      }
      const [first] = leaving(staying, await claimants());
      if (staying.length > wanted && first !== undefined) {
        await remove(first);
        return inSeconds(0);
      }
      return settled;
    },
  };

  /** Agents that have something in hand, whether or not their status says so yet. */
  async function claimants(): Promise<ReadonlySet<string>> {
    const { items: projects } = await client.list("Project", { namespace });
    const { items: reviews } = await client.list("Review", { namespace });
    return new Set([...projects, ...reviews].flatMap(({ status }) => status?.claim?.agentUID ?? []));
  }

  async function add(pool: AgentPool, id: number): Promise<void> {
    const agent: Agent = {
      apiVersion: API_VERSION,
      kind: "Agent",
      metadata: {
        name: agentName(id),
        namespace,
        labels: { ...pool.metadata.labels, [POOL_LABEL]: pool.metadata.name, [ROLE_LABEL]: pool.spec.role },
        finalizers: [WORK_FINALIZER],
      },
      spec: { pool: pool.metadata.name, role: pool.spec.role, paused: false },
    };
    try {
      await client.create("Agent", agent);
    } catch (error) {
      // Another pool took the number first; the next look finds another.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  async function remove(agent: Agent): Promise<void> {
    try {
      await client.delete(
        "Agent",
        { namespace, name: agent.metadata.name },
        { preconditions: { uid: agent.metadata.uid ?? "" } },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async function report(pool: AgentPool, agents: readonly Agent[], limited: boolean): Promise<void> {
    const ready = agents.filter(({ status }) => isTrue(status?.conditions, "Ready")).length;
    const working = agents.filter(isAtWork).length;
    const enough = agents.length >= pool.spec.replicas;
    const message = limited
      ? `A workspace has ${AGENTS_MAX} agents at most; this pool has ${agents.length} of ${pool.spec.replicas}.`
      : `${agents.length} of ${pool.spec.replicas} agents are there.`;
    const reason = limited ? "AgentLimit" : enough ? "Complete" : "Scaling";
    const written = await writeStatus(client, "AgentPool", pool, {
      ...pool.status,
      replicas: agents.length,
      readyReplicas: ready,
      workingReplicas: working,
      selector: `${POOL_LABEL}=${pool.metadata.name}`,
      observedGeneration: pool.metadata.generation,
      conditions: withConditions(pool.status?.conditions, whenOf(clock, pool), {
        type: "Ready",
        status: limited ? "False" : enough ? "True" : "Unknown",
        reason,
        message,
      }),
    });
    const before = pool.status?.conditions?.find(({ type }) => type === "Ready")?.reason;
    if (written !== undefined && limited && before !== "AgentLimit")
      events.event(written, "Warning", reason, message);
  }

  function ofAgent(agent: Agent): ObjectKey {
    return { namespace, name: agent.spec.pool };
  }

  async function everyPool(): Promise<readonly ObjectKey[]> {
    const { items: pools } = await client.list("AgentPool", { namespace });
    const { items: agents } = await client.list("Agent", { namespace });
    // Agents of pools that are gone have to go too.
    const names = new Set([
      ...pools.map(({ metadata }) => metadata.name),
      ...agents.map(({ spec }) => spec.pool),
    ]);
    return [...names].map((name) => ({ namespace, name }));
  }
}

/** Who goes first: the idle before those at work, the highest number before the lower. */
export function leaving(agents: readonly Agent[], claimants: ReadonlySet<string>): readonly Agent[] {
  const busy = ({ metadata }: Agent): number => (claimants.has(metadata.uid ?? "") ? 1 : 0);
  return agents
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .sort((a, b) => busy(a) - busy(b) || (agentId(b.metadata.name) ?? 0) - (agentId(a.metadata.name) ?? 0));
}

/** The smallest number of 1 to 10 that no Agent of any pool has. */
function smallestFree(agents: readonly Agent[]): number | undefined {
  const taken = new Set(agents.map(({ metadata }) => agentId(metadata.name)));
  for (let id = 1; id <= AGENTS_MAX; id += 1) if (!taken.has(id)) return id;
  return undefined;
}
