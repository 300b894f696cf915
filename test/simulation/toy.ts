/** A toy controller on the real runtime and registry in the simulated world. `node test/simulation/toy.ts SEED` replays one run. */
import type { KubeObject, ObjectKey, ObjectMeta } from "../../pkg/api/meta.ts";
import { keyOf } from "../../pkg/api/meta.ts";
import { StatusError } from "../../pkg/api/status-error.ts";
import type { Client, Kind } from "../../pkg/runtime/client.ts";
import type { Ids } from "../../pkg/runtime/clock.ts";
import type { Controller } from "../../pkg/runtime/controller.ts";
import { settled } from "../../pkg/runtime/controller.ts";
import { silentLogger } from "../../pkg/runtime/logger.ts";
import { Manager } from "../../pkg/runtime/manager.ts";
import type { Incarnation } from "./kernel/scheduler.ts";
import { Scheduler } from "./kernel/scheduler.ts";
import type { Faults } from "./kernel/sim-client.ts";
import { noFaults, simClient } from "./kernel/sim-client.ts";
import type { ToyApi } from "./kernel/toy-api.ts";
import { toyApi } from "./kernel/toy-api.ts";

const minute = 60_000;
const crashesPerStep = 0.01;

interface Calm {
  now: boolean;
}

export interface Outcome {
  hash: string;
  steps: number;
  /** Each Project's name and the child that its status names. */
  named: readonly (readonly [string, string | undefined])[];
  /** Each Review's parent and name. */
  children: readonly (readonly [string, string])[];
}

/** Two hours of people, faults and crashes, then an hour of peace. Never two children of one parent. */
export async function runToy(seed: number): Promise<Outcome> {
  const scheduler = new Scheduler({ seed });
  const api = await toyApi(scheduler.world);
  const faults: Faults = { conflict: 0.1, unknown: 0.1, refused: 0.05, expired: 0.02, ended: 0.02 };
  const calm = { now: false };
  void people(scheduler, api, calm);
  const crash = startOperator(scheduler, api, faults);
  const crashes = scheduler.prng("crashes");
  const afterEachStep = (): void => {
    neverTwo(api);
    // By steps, not by time: most crashes then come in the middle of something.
    if (crashes.chance(calm.now ? 0 : crashesPerStep)) crash();
  };
  const passes = async (untilMs: number): Promise<void> => {
    const ended = await scheduler.run({ untilMs, stepsMax: 100_000, afterEachStep });
    if (ended !== "time") throw new Error(`The run ended by ${ended}: it is stuck or never sleeps`);
  };
  try {
    await passes(120 * minute);
    Object.assign(faults, noFaults);
    calm.now = true;
    await passes(180 * minute);
  } catch (error) {
    const steps = scheduler.trace.last.map(
      ({ number, elapsedMs, label }) => `${number} ${elapsedMs} ${label}`,
    );
    throw new Error(`node test/simulation/toy.ts ${seed} fails after:\n${steps.join("\n")}`, {
      cause: error,
    });
  }
  return {
    hash: scheduler.trace.hash,
    steps: scheduler.trace.steps,
    named: api.objects("Project").map((project) => [project.metadata.name, childOf(project)] as const),
    children: api.objects("Review").map((review) => [parentOf(review).name, review.metadata.name] as const),
  };
}

/**
 * One Review for each Project, under a random name: only a cache that holds the controller's own last write tells it
 * that there is one. Then the Project says which; without the Project the Review goes.
 */
function toyController(client: Client, ids: Ids): Controller {
  return {
    name: "toy",
    watches: [{ kind: "Project" }, { kind: "Review", map: (review) => [parentOf(review)] }],
    concurrency: 2,
    async reconcile(key) {
      const parent = await client.get("Project", key);
      const { items } = await client.list("Review", { labelSelector: `parent=${key.name}` });
      const [child] = items;
      if (parent === undefined) {
        if (child !== undefined) await client.delete("Review", keyOf(child));
        return settled;
      }
      if (child === undefined) {
        const metadata = { name: `child-${ids.uuid()}`, labels: { parent: key.name } };
        await client.create("Review", toy("Review", metadata) as never);
        return settled;
      }
      if (childOf(parent) !== child.metadata.name)
        await client.updateStatus("Project", { ...parent, status: { child: child.metadata.name } } as never);
      return settled;
    },
  };
}

function parentOf({ metadata }: KubeObject): ObjectKey {
  return { namespace: "default", name: metadata.labels?.parent ?? "" };
}

function childOf({ status }: KubeObject): string | undefined {
  return (status as { child?: string } | undefined)?.child;
}

function toy(kind: Kind, metadata: ObjectMeta): KubeObject {
  return { apiVersion: "bosun.dev/v1alpha1", kind, metadata };
}

/** Starts an operator; gives what ends it as a crash would and starts the next. */
function startOperator(scheduler: Scheduler, api: Client, faults: Faults): () => void {
  const life = (number: number): Incarnation => {
    const incarnation = scheduler.incarnation(`operator ${number}`);
    const chance = scheduler.prng(`faults ${number}`);
    const client = simClient({ client: api, incarnation, chance, faults });
    const { clock, random, ids } = incarnation;
    const controllers = (cached: Client) => [toyController(cached, ids)];
    void new Manager({ client, clock, random, logger: silentLogger, controllers }).start();
    return incarnation;
  };
  let lives = 1;
  let current = life(lives);
  return () => {
    current.revoke();
    lives += 1;
    current = life(lives);
  };
}

/** Creates, touches and deletes Projects at random moments until it is calm. */
async function people(scheduler: Scheduler, api: Client, calm: Calm): Promise<void> {
  const { clock } = scheduler.world;
  const chance = scheduler.prng("people");
  while (!calm.now) {
    await clock.sleep(chance.below(minute));
    const name = `p${chance.below(4)}`;
    const key = { namespace: "default", name };
    const act = chance.below(4);
    try {
      if (act === 0) await api.delete("Project", key);
      else if (act === 1) await api.patch("Project", key, { spec: { touched: clock.elapsed() } });
      else await api.create("Project", toy("Project", { name }) as never);
    } catch (error) {
      // It is there already, or gone.
      if (!(error instanceof StatusError)) throw error;
    }
  }
}

function neverTwo(api: ToyApi): void {
  const names = api.objects("Review").map((review) => parentOf(review).name);
  if (new Set(names).size !== names.length) throw new Error(`Two children of one parent: ${names.join()}`);
}

if (import.meta.main) console.log(await runToy(Number(process.argv[2] ?? 1)));
