/** One run of the whole system in the simulated world, from a seed. */
import { type Logger, silentLogger } from "../../pkg/runtime/logger.ts";
import { Broken } from "./broken.ts";
import { crew } from "./cluster/crew.ts";
import { roughness } from "./faults.ts";
import { watchInvariants } from "./invariants.ts";
import { Revoked } from "./kernel/scheduler.ts";
import { unsettled } from "./liveness.ts";
import { operator } from "./operator.ts";
import { people } from "./people.ts";
import { kindTemper } from "./world/conduct.ts";
import { makeWorld, type World } from "./world.ts";

const minute = 60_000;
const hour = 60 * minute;
/** After the faults everything has to be settled within this. */
const calmHours = 48;
const roughShare = 5 / 8;
/** Weather as it goes by: fair, rough, and storms. */
const FRONTS = [0, 0.5, 1, 1, 4];
/** More than this is a loop, work that is done again and again, or a day in which twice the usual is merged. */
export const stepsPerDayMax = 50_000;
/** Seeds that may have more: busy days, and those in which disk, gateway and machine fail often. One of seeds 1 to 64. */
export const busyShareMax = 0.03;
/**
 * For a start of the operator, when ten agents and dozens of projects are looked at for the first time. Where there is
 * no other, the ten agents are also made and claim in it: 394 at most in seeds 1 to 1000.
 */
export const stepsPerStartMax = 450;
/** How long a start takes, in virtual milliseconds. */
const startMs = 20_000;

export interface Outcome {
  seed: number;
  hash: string;
  steps: number;
  /** What its steps would add up to in a virtual day, people, faults and crashes included. */
  stepsPerDay: number;
  /** The same without the first seconds of each of the operator's lives. */
  steadyStepsPerDay: number;
  /** Steps of the first seconds of a life, on the average: lists, and the first look at everything. */
  stepsPerStart: number;
  /** The same of its rough hours alone: at their pace ten agents never rest, and the operator dies forty times a day. */
  roughStepsPerDay: number;
  hours: number;
  merged: number;
  projects: number;
  lives: number;
  /** Virtual hours until all was settled after the faults had ended. */
  calmHours: number;
}

export interface SimulateOptions {
  seed: number;
  /** Virtual hours at least; five eighths of them with people and faults. */
  hours: number;
  /** Whether calls fail and the operator crashes; true when absent. People and sessions are as they are. */
  faults?: boolean;
  logger?: Logger;
  /** For counting what makes steps. */
  onStep?: (label: string) => void;
}

// What a crashed life was doing for itself when it crashed, its garbage collection for instance, has nobody to tell.
process.on("unhandledRejection", (error) => {
  if (!(error instanceof Revoked)) throw error;
});

/** @throws Error that says how to replay the run, with the last steps, when a promise was broken */
export async function simulate(options: SimulateOptions): Promise<Outcome> {
  const { seed, hours } = options;
  const mode = seed % 2 === 0 ? "Files" : "Cluster";
  const world = await makeWorld({ seed, mode, hasTexts: seed % 4 === 2 });
  try {
    return await run(world, options);
  } catch (error) {
    const steps = world.scheduler.trace.last.map(
      ({ number, elapsedMs, label }) => `${number} ${(elapsedMs / 1000).toFixed(1)} s ${label}`,
    );
    const message =
      error instanceof Broken ? error.message : String(error instanceof Error ? error.stack : error);
    throw new Error(
      `${steps.join("\n")}\n\n${message}\n\nReplay it: node test/simulation/main.ts --seed ${seed} --hours ${hours}`,
      { cause: error },
    );
  }
}

/** An error outside the taxonomy, a map or a listener that throws: none of them may happen, whatever goes wrong. */
function noBugs(logger: Logger | undefined, broken: { error?: unknown }): Logger {
  const inner = logger ?? silentLogger;
  const watching = (to: Logger): Logger => ({
    ...to,
    error(message, fields) {
      to.error(message, fields);
      // What a crashed life was doing when it crashed.
      if (fields?.error instanceof Revoked) return;
      broken.error ??= fields?.error ?? new Broken(message);
    },
    with: (fields) => watching(to.with(fields)),
  });
  return watching(inner);
}

async function run(
  world: World,
  { seed, hours, faults: hasFaults = true, logger, onStep }: SimulateOptions,
): Promise<Outcome> {
  const { scheduler } = world;
  const rough = roughness(world);
  if (hasFaults) rough.set(1);
  const broken: { error?: unknown } = {};
  const isCluster = seed % 4 === 3;
  const invariants = watchInvariants(world, isCluster ? "Cluster" : "Files");

  const persons = people(world);
  const chaos = world.prng("chaos");
  let lives = 0;
  let startedMs = 0;
  let startSteps = 0;
  const restart = (afterMs: number): void => {
    void scheduler.world.clock.sleep(afterMs).then(() => {
      lives += 1;
      startedMs = scheduler.elapsedMs;
      invariants.operatorStarts();
      op.start();
    });
  };
  const common = {
    ...{ world, weather: rough.weather, failpoints: rough.failpoints, powerLosses: 0.3 },
    logger: noBugs(logger, broken),
    onDeath: () => restart(chaos.below(2 * minute)),
  };
  const cluster = isCluster
    ? crew({ ...common, faults: rough.network, onHears: (hears) => invariants.operatorHears(hears) })
    : undefined;
  const op = cluster ?? operator({ ...common, faults: rough.client, diskFaults: rough.disk });
  op.start();
  let offsetMs = 0;
  const jumpWall = (ms: number): void => {
    offsetMs += ms;
    scheduler.jumpWall(ms);
    // Most clocks are put right again by those that keep the time.
    if (!chaos.chance(0.7)) return;
    void scheduler.world.clock.sleep(chaos.below(hour)).then(() => {
      scheduler.jumpWall(-offsetMs);
      offsetMs = 0;
    });
  };
  const untilMs = hours * roughShare * hour;
  let calm = false;
  void (async () => {
    while (!calm && hasFaults) {
      await scheduler.world.clock.sleep(chaos.below(2 * hour));
      if (calm) return;
      if (chaos.chance(0.5)) {
        if (op.lives) {
          op.crash();
          restart(chaos.below(3 * minute));
        }
      } else jumpWall(chaos.below(2 * hour) - hour / 2);
    }
  })();
  void (async () => {
    while (!calm && hasFaults) {
      await scheduler.world.clock.sleep(20 * minute + chaos.below(100 * minute));
      if (!calm) rough.set(FRONTS[chaos.below(FRONTS.length)] ?? 1);
    }
  })();
  void (async () => {
    while (cluster !== undefined && !calm && hasFaults) {
      await scheduler.world.clock.sleep(chaos.below(hour));
      if (!calm) cluster.trouble();
    }
  })();
  let looked = 0;
  const afterEachStep = (): boolean => {
    if (broken.error !== undefined) throw broken.error;
    if (scheduler.elapsedMs - startedMs <= startMs) startSteps += 1;
    onStep?.(scheduler.trace.last.at(-1)?.label ?? "");
    // Most crashes come by steps, not by time: in the middle of something.
    if (!calm && hasFaults && op.lives && chaos.chance(0.0003)) {
      op.crash();
      restart(chaos.below(2 * minute));
    }
    if (!calm) return false;
    looked += 1;
    return looked % 100 === 0 && scheduler.elapsedMs >= hours * hour && unsettled(world).length === 0;
  };
  const stepsMax = 10 * stepsPerDayMax * Math.max(1, hours / 24);
  if ((await scheduler.run({ untilMs, afterEachStep, stepsMax })) === "steps")
    throw new Broken(
      `${stepsMax} steps did not take it through the ${hours * roughShare} hours with faults.`,
    );
  const roughSteps = scheduler.trace.steps - (cluster?.electionSteps ?? 0);
  rough.set(0);
  cluster?.makeFair();
  Object.assign(world.temper, kindTemper);
  calm = true;
  scheduler.jumpWall(-offsetMs);
  offsetMs = 0;
  const calmed = persons.calmDown();
  const ended = await scheduler.run({
    untilMs: untilMs + calmHours * hour,
    afterEachStep,
    stepsMax,
  });
  await calmed;
  const left = unsettled(world);
  if (left.length > 0) throw new Broken(`The run ended by ${ended} and this is stuck:\n${left.join("\n\n")}`);
  const runHours = scheduler.elapsedMs / hour;
  const ofElections = cluster?.electionSteps ?? 0;
  const perDay = (steps: number, inHours = runHours): number => Math.round((steps / inHours) * 24);
  const projects = world.api.objects("Project");
  return {
    seed,
    hash: scheduler.trace.hash,
    steps: scheduler.trace.steps,
    stepsPerDay: perDay(scheduler.trace.steps - ofElections),
    steadyStepsPerDay: perDay(scheduler.trace.steps - startSteps - ofElections),
    stepsPerStart: Math.round(startSteps / (lives + 1)),
    roughStepsPerDay: perDay(roughSteps, hours * roughShare),
    hours: runHours,
    merged: projects.filter(({ status }) => status?.phase === "Done").length,
    projects: projects.length,
    lives: lives + 1,
    calmHours: Math.round((scheduler.elapsedMs - untilMs) / minute) / 60,
  };
}
