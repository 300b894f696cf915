/**
 * Cluster mode: two operators, one Lease. Each is what `bosun up --kubeconfig` makes of the real parts (its Client, the
 * election, what may act and the controllers), on a network of its own; they share the folder, as from two containers.
 */
import { keepActing } from "../../../cmd/bosun/operator/acting.ts";
import { elected } from "../../../cmd/bosun/operator/elected.ts";
import { clusterClient } from "../../../pkg/cluster/client.ts";
import { leaseStore } from "../../../pkg/cluster/leases.ts";
import { actingClient } from "../../../pkg/runtime/acting-client.ts";
import { TransientError } from "../../../pkg/runtime/errors.ts";
import { electionTimes } from "../../../pkg/runtime/leader-election.ts";
import { silentLogger } from "../../../pkg/runtime/logger.ts";
import type { Prng } from "../kernel/prng.ts";
import { type Suspendable, suspendable } from "../kernel/suspendable.ts";
import { type Guard, newManager, type Operator, type OperatorOptions } from "../operator.ts";
import { actedElected } from "../promises/one-owner.ts";
import { SimLock } from "./lock.ts";
import { type NetworkFaults, SimNetwork } from "./network.ts";
import { SimServer } from "./server.ts";

const minute = 60_000;
const leaseName = "bosun";
/** A renewal every two seconds costs more steps than all else: most runs take this many times as long for all of it. */
const slowElections = 20;

export interface CrewOptions extends Omit<OperatorOptions, "faults"> {
  faults: NetworkFaults;
  /** Told when nobody acts who hears what people declare, and when somebody does again. */
  onHears(hears: boolean): void;
}

export interface Crew extends Operator {
  /** One thing that goes wrong with an operator or the network, and its end. */
  trouble(): void;
  /** Everybody goes on, and reaches the server. */
  makeFair(): void;
  /** Steps that the Lease took. */
  readonly electionSteps: number;
}

/** One place where an operator runs, one life after the other. */
interface Place {
  name: string;
  network: SimNetwork;
  lives: number;
  process: Process | undefined;
}

interface Process {
  life: Suspendable;
  identity: string;
  readonly lives: boolean;
  silentSinceMs: number | undefined;
  /** It has taken the folder's lock. */
  hadLock: boolean;
  /** The controllers run. */
  acts: boolean;
}

export function crew(options: CrewOptions): Crew {
  const { world, powerLosses = 0, logger = silentLogger, onDeath, onHears } = options;
  const { scheduler } = world;
  const chance = world.prng("crew");
  const server = new SimServer({
    api: world.api,
    streamsLists: chance.chance(0.7),
    clock: scheduler.world.clock,
  });
  const lock = new SimLock();
  const slowness = chance.chance(0.96) ? slowElections : 1;
  const times = {
    leaseMs: slowness * electionTimes.leaseMs,
    renewDeadlineMs: slowness * electionTimes.renewDeadlineMs,
    retryMs: slowness * electionTimes.retryMs,
  };
  const places: readonly Place[] = ["one", "two"].map((name) => {
    const place: Place = {
      name,
      lives: 0,
      process: undefined,
      network: new SimNetwork({
        server,
        chance: world.prng(`network of ${name}`),
        faults: options.faults,
        onWrite: () => actedElected(place.process?.identity, server.leases.holder(leaseName)),
      }),
    };
    return place;
  });
  let heard = false;

  const living = (): readonly Place[] => places.filter(({ process }) => process !== undefined);
  const lookWhoHears = (): void => {
    const hears = places.some(
      ({ process, network }) => process?.acts === true && !process.life.isSuspended && !network.isAway,
    );
    if (hears !== heard) onHears(hears);
    heard = hears;
  };

  return {
    get lives() {
      return living().length > 0;
    },
    get electionSteps() {
      return places.reduce((sum, { network }) => sum + network.electionSteps, 0);
    },
    counters: () => ({}),
    crash() {
      const place = chance.chance(0.7)
        ? living().find(({ process }) => process?.acts)
        : pick(living(), chance);
      const isMachine = chance.chance(powerLosses);
      for (const lost of isMachine ? living() : [place]) if (lost !== undefined) kill(lost);
      if (!isMachine) return;
      world.machine.losePower(chance);
      world.sessions.killAll();
      world.money.die();
    },
    start() {
      for (const place of places) if (place.process === undefined) start(place);
    },
    trouble() {
      const shortly = chance.chance(0.6);
      const ms = shortly ? 1 + chance.below(2 * minute) : 20 * minute + chance.below(60 * minute);
      const place = pick(living(), chance) ?? places[0];
      const after = (act: () => void): void => {
        void scheduler.world.clock.sleep(ms).then(act).then(lookWhoHears);
      };
      const roll = chance.next();
      if (roll < 0.35 && place?.process !== undefined) {
        const suspended = place.process;
        suspended.life.suspend();
        suspended.silentSinceMs = scheduler.elapsedMs;
        after(() => goOn(place, suspended));
      } else if (roll < 0.85) {
        // The server, or the way of one operator to it.
        const cut = chance.chance(0.6) ? places : [place];
        for (const away of cut) {
          away?.network.cutOff(chance.chance(0.5) ? "refused" : "silent");
          after(() => away?.network.restore());
        }
      } else for (const { network } of places) network.dropWatches();
      lookWhoHears();
    },
    makeFair() {
      for (const place of places) {
        place.network.restore();
        if (place.process?.life.isSuspended) goOn(place, place.process);
      }
      lookWhoHears();
    },
  };

  function start(place: Place): void {
    place.lives += 1;
    const identity = `operator ${place.name} ${place.lives}`;
    const life = suspendable(scheduler.incarnation(identity), world.prng(`suspensions of ${identity}`));
    const process: Process = {
      ...{ life, identity, silentSinceMs: undefined, hadLock: false, acts: false },
      get lives() {
        return place.process === process;
      },
    };
    place.process = process;
    run(place, process).catch((error: unknown) => {
      // What a dead operator was about to do next does not happen.
      if (!life.revoked)
        life.defer(() => {
          throw error;
        });
    });
  }

  /** As `openCluster` and `startOperator` do it. */
  async function run(place: Place, process: Process): Promise<void> {
    const { life, identity } = process;
    const { clock, random } = life;
    const access = { server: "https://server", options: async () => ({}), renew() {}, close() {} };
    const transport = place.network.transport(life);
    const deps = { access, clock, random, userAgent: "bosun", transport };
    const namespace = "default";
    const direct = clusterClient({ ...deps, namespace, fieldManager: "bosun" });
    const store = leaseStore(deps, { namespace, name: leaseName });
    const election = { store, identity, clock, random, logger, times, waitingFor() {} };
    const stopActing = (): void => {
      process.acts = false;
      lookWhoHears();
    };
    const { right, held, release } = await elected({
      election,
      signal: new AbortController().signal,
      onLost: stopActing,
      onHeld() {},
    });
    const before = places.find((other) => other.process !== undefined && lock.isHeldBy(other.process));
    const term = lock.take(process, scheduler.elapsedMs);
    if (term === undefined) {
      await release();
      end(place);
      return;
    }
    process.hadLock = true;
    // What the one before had begun is known to it alone.
    if (before !== undefined) loseOperator();
    const guard: Guard = {
      begins() {
        if (!held() || !lock.isHeldBy(process))
          throw new TransientError("NotLeading", "This operator may have been replaced, so it does nothing.");
        actedElected(identity, server.leases.holder(leaseName));
      },
      arrives() {
        if (lock.term > term) throw new TransientError("Replaced", `Term ${term} is over: ${lock.term} is.`);
      },
    };
    const client = actingClient(direct, held);
    let managers = 0;
    const manager = () => {
      managers += 1;
      process.acts = true;
      lookWhoHears();
      return newManager(
        { ...options, logger },
        {
          life,
          client,
          guard,
          chance: world.prng(`faults of ${identity} ${managers}`),
          die: () => end(place),
        },
      );
    };
    await keepActing(manager, { right, signal: new AbortController().signal, logger });
  }

  /** It wakes, and finds sooner or later that it was replaced. */
  function goOn(place: Place, process: Process): void {
    process.silentSinceMs = undefined;
    process.life.resume();
    void scheduler.world.clock.sleep(chance.below(2000)).then(() => {
      if (process.lives && process.hadLock && !lock.isHeldBy(process)) end(place);
    });
  }

  /** It ends by itself. */
  function end(place: Place): void {
    if (place.process === undefined) return;
    kill(place);
    onDeath?.();
  }

  function kill(place: Place): void {
    const { process, network } = place;
    if (process === undefined) return;
    place.process = undefined;
    process.life.revoke();
    network.dropWatches();
    if (lock.isHeldBy(process)) loseOperator();
    lookWhoHears();
  }

  function loseOperator(): void {
    for (const part of [world.sessions, world.quality, world.money, world.repository]) part.crash();
  }
}

function pick<T>(items: readonly T[], chance: Prng): T | undefined {
  return items[chance.below(Math.max(1, items.length))];
}
