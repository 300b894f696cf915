/**
 * The deterministic kernel: every call into the injected world is a task, and one task at a time is resolved, chosen
 * by the seed, with nothing real pending. When no task is ready the clock moves to the next timer.
 */
import type { Clock, Ids, Random } from "../../../pkg/runtime/clock.ts";
import type { Prng } from "./prng.ts";
import { prng, simIds } from "./prng.ts";
import { Timers } from "./timers.ts";
import { Trace } from "./trace.ts";

/** 2026-01-05T08:00:00Z, a Monday. */
const startMsDefault = Date.UTC(2026, 0, 5, 8);
/** How often the clock moves on although tasks are ready, so that a slow answer meets a timer. */
const slowness = 0.05;
/** It does so only to timers this near: no answer takes an hour. */
const slowMsMax = 1000;

export interface SchedulerOptions {
  seed: number;
  /** Wall time at the start, milliseconds since the epoch. */
  startMs?: number;
  /** How many of the last steps the trace keeps for a failure's printout; 50 when absent. */
  keepSteps?: number;
}

export interface RunOptions {
  /** Stops when the clock would pass this elapsed time, in milliseconds; the clock then stands at it. */
  untilMs: number;
  /** Stops after so many steps: a loop that never sleeps. */
  stepsMax?: number;
  /** Looks at the world between steps: throw to fail, return true to stop. */
  afterEachStep?: () => unknown;
}

/** `idle`: nothing will ever happen again. */
export type Ended = "time" | "steps" | "idle" | "asked";

/** Thrown at code of a crashed incarnation that calls into the world. */
export class Revoked extends Error {
  override readonly name = "Revoked";
}

/** The world as one life of a process sees it. After `revoke` its pending calls never resolve and new ones throw. */
export interface Incarnation {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly revoked: boolean;
  /** Runs `fn` as a step of its own. A throw of it fails the run. */
  defer(fn: () => void): void;
  /** Runs `fn` as a step of its own and gives its answer. */
  task<T>(label: string, fn: () => T | Promise<T>): Promise<T>;
  revoke(): void;
}

interface Step {
  label: string;
  owner: Life;
  run: () => void;
}

interface Life {
  name: string;
  revoked: boolean;
}

export class Scheduler {
  readonly seed: number;
  readonly trace: Trace;
  /** The world itself, which never crashes: the API server, people. */
  readonly world: Incarnation;
  readonly #choice: Prng;
  readonly #ready: Step[] = [];
  readonly #timers = new Timers<Step>((step) => step.owner.revoked);
  #elapsedMs = 0;
  #wallMs: number;
  #failure: { error: unknown } | undefined;

  constructor({ seed, startMs = startMsDefault, keepSteps = 50 }: SchedulerOptions) {
    this.seed = seed;
    this.trace = new Trace(keepSteps);
    this.#wallMs = startMs;
    this.#choice = prng(seed, "schedule");
    this.world = this.incarnation("world");
  }

  /** Virtual milliseconds since the start. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** Moves the wall clock alone, as a person or NTP would. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }

  /** Chance of its own for a use named `stream`. */
  prng(stream: string): Prng {
    return prng(this.seed, stream);
  }

  /** A new life; its name separates its chance from others' and stands in the trace. */
  incarnation(name: string): Incarnation {
    const life: Life = { name, revoked: false };
    const random = this.prng(`random of ${name}`);
    const ids = simIds(this.prng(`ids of ${name}`));
    const crashed = (): Revoked => new Revoked(`${name} has crashed and can do nothing more`);
    const living = <T>(answer: () => T): T => {
      if (life.revoked) throw crashed();
      return answer();
    };
    return {
      get revoked() {
        return life.revoked;
      },
      clock: {
        now: () => living(() => this.#wallMs + this.#elapsedMs),
        elapsed: () => living(() => this.#elapsedMs),
        sleep: (ms, signal) => (life.revoked ? Promise.reject(crashed()) : this.#sleep(life, ms, signal)),
      },
      random: { next: () => living(random.next) },
      ids: { uuid: () => living(ids.uuid) },
      defer: (fn) => living(() => this.#defer(life, fn)),
      task: (label, fn) => (life.revoked ? Promise.reject(crashed()) : this.#task(life, label, fn)),
      revoke: () => {
        life.revoked = true;
        const left = this.#ready.filter((step) => !step.owner.revoked);
        this.#ready.splice(0, this.#ready.length, ...left);
      },
    };
  }

  /** Takes steps until an option says stop or nothing is left to happen. */
  async run({ untilMs, stepsMax = Number.POSITIVE_INFINITY, afterEachStep }: RunOptions): Promise<Ended> {
    // What was called before the run may have promises to settle first.
    await settledTurn();
    for (let steps = 0; steps < stepsMax; steps += 1) {
      const step = this.#pick(untilMs);
      if (typeof step === "string") return step;
      this.trace.add(step.label, this.#elapsedMs);
      step.run();
      await settledTurn();
      if (this.#failure !== undefined) throw this.#failure.error;
      if (afterEachStep?.() === true) return "asked";
    }
    return "steps";
  }

  #pick(untilMs: number): Step | Ended {
    this.#ripen();
    for (;;) {
      const nextMs = this.#timers.nextMs();
      const slow = this.#ready.length > 0 && this.#choice.chance(slowness);
      if (
        this.#ready.length === 0 ||
        (slow && nextMs !== undefined && nextMs - this.#elapsedMs <= slowMsMax)
      ) {
        if (nextMs === undefined) return "idle";
        if (nextMs > untilMs) {
          if (this.#ready.length > 0) return this.#draw();
          this.#elapsedMs = untilMs;
          return "time";
        }
        this.#elapsedMs = Math.max(this.#elapsedMs, nextMs);
        this.#ripen();
        continue;
      }
      return this.#draw();
    }
  }

  #draw(): Step {
    const index = this.#choice.below(this.#ready.length);
    const step = this.#ready[index] as Step;
    const last = this.#ready.pop() as Step;
    if (last !== step) this.#ready[index] = last;
    return step;
  }

  /** Makes the timers that are due steps like any other. */
  #ripen(): void {
    for (;;) {
      const step = this.#timers.take(this.#elapsedMs);
      if (step === undefined) return;
      this.#ready.push(step);
    }
  }

  #sleep(owner: Life, ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      let ended = false;
      const wake = (): void => {
        if (ended) return;
        ended = true;
        signal?.removeEventListener("abort", abort);
        resolve();
      };
      const step = { label: `${owner.name} wakes`, owner, run: wake };
      const timer = this.#timers.add(this.#elapsedMs + Math.max(0, ms), step);
      const abort = (): void => {
        if (ended || owner.revoked) return;
        ended = true;
        timer.cancelled = true;
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  #defer(owner: Life, fn: () => void): void {
    const run = (): void => {
      try {
        fn();
      } catch (error) {
        this.#failure ??= { error };
      }
    };
    this.#ready.push({ label: `${owner.name} defers`, owner, run });
  }

  #task<T>(owner: Life, label: string, fn: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (answer: T): void => {
        if (!owner.revoked) resolve(answer);
      };
      const fail = (error: unknown): void => {
        if (!owner.revoked) reject(error);
      };
      const run = (): void => {
        try {
          const answer = fn();
          if (answer instanceof Promise) answer.then(settle, fail);
          else settle(answer);
        } catch (error) {
          fail(error);
        }
      };
      this.#ready.push({ label: `${owner.name}: ${label}`, owner, run });
    });
  }
}

/** Resolves when no promise is left to settle: microtasks all run before the next tick. */
function settledTurn(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
