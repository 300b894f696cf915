/** The operator: the real manager and all real controllers, one life after the other. */
import { whileHeld } from "../../cmd/bosun/operator/while-held.ts";
import { allControllers } from "../../controllers/controllers.ts";
import type { CachingClient } from "../../pkg/runtime/caching-client.ts";
import type { Client } from "../../pkg/runtime/client.ts";
import { eventRecorder } from "../../pkg/runtime/events.ts";
import { type Logger, silentLogger } from "../../pkg/runtime/logger.ts";
import { type Counters, Manager } from "../../pkg/runtime/manager.ts";
import type { Prng } from "./kernel/prng.ts";
import type { Incarnation } from "./kernel/scheduler.ts";
import { type Faults, simClient } from "./kernel/sim-client.ts";
import { type DiskFaults, noDiskFaults } from "./world/disk.ts";
import { simPrompts } from "./world/prompts.ts";
import { seenBy, type Weather } from "./world/seen-by.ts";
import type { World } from "./world.ts";

export interface OperatorOptions {
  world: World;
  faults: Faults;
  weather: Weather;
  /** How often it dies at a failpoint that it passes, 0 to 1. */
  failpoints: { deaths: number };
  diskFaults?: DiskFaults;
  /** How many of its crashes are the machine's, 0 to 1: all else ends too, and what was not synced is at risk. */
  powerLosses?: number;
  logger?: Logger;
  /** Told when it has died of a failpoint. */
  onDeath?: () => void;
}

export interface Operator {
  /** Ends this life as a kill would, and keeps the world but for what a loss of power takes with it. */
  crash(): void;
  /** Begins the next life. */
  start(): void;
  readonly lives: boolean;
  counters(): Record<string, Counters>;
}

export function operator(options: OperatorOptions): Operator {
  const { world, diskFaults = noDiskFaults, powerLosses = 0, onDeath } = options;
  const crashes = world.prng("crashes of the machine");
  let number = 0;
  let current: { life: Incarnation; manager: Manager | undefined } | undefined;
  const crash = (): void => {
    if (current === undefined) return;
    current.life.revoke();
    current = undefined;
    world.api.end();
    for (const part of [world.sessions, world.quality, world.money, world.repository]) part.crash();
    if (!crashes.chance(powerLosses)) return;
    world.machine.losePower(crashes);
    world.sessions.killAll();
    world.money.die();
  };
  const die = (): void => {
    if (current === undefined) return;
    crash();
    onDeath?.();
  };
  return {
    get lives() {
      return current !== undefined;
    },
    counters: () => current?.manager?.counters() ?? {},
    crash,
    start() {
      if (current !== undefined) return;
      number += 1;
      const life = world.scheduler.incarnation(`operator ${number}`);
      const chance = world.prng(`faults ${number}`);
      const born: { life: Incarnation; manager: Manager | undefined } = { life, manager: undefined };
      current = born;
      const work = (): void => {
        if (!life.revoked) born.manager = live(options, { life, chance, die });
      };
      if (world.disk === undefined) {
        work();
        return;
      }
      const mounted = { life, chance: world.prng(`disk ${number}`), faults: diskFaults, die };
      world.api.start(mounted).then(work, (error: unknown) => {
        if (life.revoked) return;
        // A full disk is a reason to try again; a log that cannot be read after a crash is a broken promise.
        if (world.disk?.isFull) die();
        else
          life.defer(() => {
            throw error;
          });
      });
    },
  };
}

function live(options: OperatorOptions, { life, chance, die }: Surroundings): Manager {
  const { world, faults } = options;
  const client = simClient({ client: world.api as Client, incarnation: life, chance, faults });
  const manager = newManager(options, { life, chance, die, client });
  void manager.start();
  return manager;
}

/** Calls that write nothing: a full disk is nothing to them. */
const READS: ReadonlySet<string> = new Set([
  ...["target", "claimNumber", "checkoutState", "targetContains", "commits", "changes", "inspect"],
]);

interface Surroundings {
  life: Incarnation;
  chance: Prng;
  die: () => void;
}

export interface ManagerSurroundings extends Surroundings {
  client: Client;
  /** Around each part of the world; absent: none. */
  guard?: Guard;
}

/** What keeps an operator that may have been replaced from the world. */
export interface Guard {
  /** Throws before a call is made. */
  begins(): void;
  /** Throws where a call arrives that somebody with a greater term would have to make. */
  arrives(): void;
}

/** All real controllers in the world as `life` meets it; not started. */
export function newManager(
  { world, weather, failpoints, logger = silentLogger }: Omit<OperatorOptions, "faults">,
  { life, chance, die, client, guard }: ManagerSurroundings,
): Manager {
  const { clock, ids, random } = life;
  const common = { incarnation: life, chance, weather };
  const fenced = { ...common, arrives: () => guard?.arrives() };
  const onDisk = {
    ...common,
    arrives: (name: string) => {
      guard?.arrives();
      if (!READS.has(name)) world.machine.refuse();
    },
  };
  const guarded = <T extends object>(part: T): T =>
    guard === undefined ? part : whileHeld(part, () => guard.begins());
  const unknown = { is: "unknown", why: "It did not answer." };
  const deps = (cached: CachingClient) => ({
    client: cached,
    clock,
    ids,
    random,
    events: eventRecorder({ client, clock, ids, logger, component: "bosun" }),
    failpoints: {
      hit: () => {
        if (chance.chance(failpoints.deaths)) die();
      },
    },
    namespace: "default",
    sessions: guarded(
      Object.assign(
        seenBy(world.sessions, ["find", "start", "stop", "running"], {
          ...common,
          label: "sessions",
          unknowns: { find: unknown },
        }),
        { spareId: () => world.sessions.spareId(), expect: () => world.sessions.expect() },
      ),
    ),
    repository: guarded(
      seenBy(
        world.repository,
        [
          "target",
          "syncTarget",
          "recordClaim",
          "claimNumber",
          "ensureCheckout",
          "checkoutState",
          "saveWork",
          "collect",
          "release",
          "planMerge",
          "swapTarget",
          "targetContains",
          "commits",
          "changes",
        ],
        {
          ...fenced,
          label: "repository",
          unknowns: { target: unknown, checkoutState: unknown, saveWork: unknown },
        },
      ),
    ),
    quality: guarded(seenBy(world.quality, ["checks", "inspect"], { ...onDisk, label: "quality" })),
    money: guarded(
      Object.assign(
        seenBy(
          world.money,
          [
            ...(["setBudgets", "admit", "dismiss"] as const),
            ...(["account", "standing", "cost", "spent", "usageLimits", "closedWindow"] as const),
          ],
          {
            ...fenced,
            label: "money",
            unknowns: {
              account: undefined,
              standing: undefined,
              cost: undefined,
              spent: undefined,
              usageLimits: undefined,
              closedWindow: undefined,
            },
          },
        ),
        { whyUnknown: () => world.money.whyUnknown() },
      ),
    ),
    prompts: simPrompts,
    latch: seenBy(world.latch, ["engaged", "look", "engage", "release", "settle"], {
      ...common,
      label: "latch",
    }),
    upstream: "Real" as const,
    sandbox: "Required" as const,
  });
  return new Manager({
    client,
    clock,
    random,
    logger,
    controllers: (cached) => allControllers(deps(cached)),
  });
}
