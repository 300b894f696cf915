import { createHash, randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Clock } from "../runtime/clock.ts";
import { timestamp } from "../runtime/clock.ts";
import { startsNpm } from "../sandbox/compiled-npm.ts";
import { keepCompiledNpm } from "../sandbox/keep-compiled-npm.ts";
import { endCommandsOf } from "../sandbox/leftovers.ts";
import { pidNamespaceAvailable } from "../sandbox/pid-namespace.ts";
import type { CommitSource } from "./commit-source.ts";
import { digestOf, type Include, includedFiles } from "./include.ts";
import { inspectCommits } from "./inspect.ts";
import { Places } from "./places.ts";
import type { CheckCommands, CheckResult, Quality } from "./quality.ts";
import { remembered } from "./remembered.ts";
import { ResultCache } from "./result-cache.ts";
import { type ChecksEnvironment, type ChecksRequest, type InTurn, runChecks } from "./run-checks.ts";

export interface OpenQualityOptions {
  source: CommitSource;
  /** `$XDG_STATE_HOME/bosun/<workspace uid>`; checks use `checks/` in it. */
  stateDirectory: string;
  /** Where the sandbox hides what; undefined (`sandbox: Off`) runs commands without one. */
  sandbox: ChecksEnvironment["sandbox"];
  clock: Clock;
  /** Ends running checks; they have no result then, and run again after a restart. */
  signal: AbortSignal;
  /** The emergency stop; without it there is none. */
  stop?: QualityStop;
  /** Checks at once; half of the cores when left out, at least one. */
  maxConcurrent?: number;
  /** Asked at each check; never when left out. */
  setupNetwork?(): boolean;
  /** Asked at each check; nothing is included when left out. */
  include?(): Include;
}

/** How checks heed the emergency stop. What it ends has no result, and is asked for again once it is over. */
export interface QualityStop {
  /** In every command's environment: by it a stop finds what runs. */
  marks: Readonly<Record<string, string>>;
  inForce(): boolean;
  /** Calls `engaged` when it comes into force and `released` when it is over. */
  follow(engaged: () => void, released: () => void): void;
}

const noStop: QualityStop = { marks: {}, inForce: () => false, follow: () => undefined };

/** Ten agents with a few heads each, while a controller asks again at every pass. */
const inspectionsKept = 100;

/** Quality by real commands, in a clean checkout in the sandbox. */
export async function openQuality(options: OpenQualityOptions): Promise<Quality> {
  const { source, clock, signal, stop = noStop } = options;
  const folder = join(options.stateDirectory, "checks");
  const work = join(folder, "work");
  // What a crash cut short: commands that no sandbox ended, and their checkouts. One operator at a time holds the state folder.
  await endCommandsOf(work);
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const cache = new ResultCache(join(folder, "results"));
  const placeCount = options.maxConcurrent ?? Math.max(1, Math.floor(availableParallelism() / 2));
  const places = new Places(placeCount);
  // Whoever waits for a place has its checkout made meanwhile: a place is taken by commands alone.
  const rooms = new Places(2 * placeCount);
  const environment: Omit<ChecksEnvironment, "signal" | "refuseStopped"> = {
    source,
    clock,
    sandbox: options.sandbox,
    pids: options.sandbox === undefined ? await pidNamespaceAvailable() : undefined,
    owner: work,
    marks: stop.marks,
  };
  /** Checks that wait or run, and who is told at the end. */
  const running = new Map<string, Set<string>>();
  /** What kept checks from running at all; told once, then they are tried again. */
  const failures = new Map<string, unknown>();
  /** Begun by the first check that npm ran in, which had to do without. */
  let keptNpm: Promise<void> | undefined;
  const listeners = new Set<(commit: string) => void>();
  const wake = (commits: Iterable<string>): void => {
    for (const commit of commits) for (const listener of listeners) listener(commit);
  };
  /** Commits whose checks the emergency stop has ended, or not let begin. */
  const interrupted = new Set<string>();
  let stopping = new AbortController();
  stop.follow(
    () => stopping.abort(new Error("The emergency stop ended the checks.")),
    () => {
      stopping = new AbortController();
      const waiting = [...interrupted];
      interrupted.clear();
      wake(waiting);
    },
  );
  const inspect = remembered(
    (base: string, head: string, protectedPaths: readonly string[]) =>
      inspectCommits(source, { base, head, protectedPaths }),
    inspectionsKept,
  );

  return {
    async checks(commit, commands) {
      if (Object.keys(commands).length === 0) return { is: "done", passed: true, results: [] };
      const setupNetwork = options.setupNetwork?.() ?? false;
      const include = options.include?.();
      const included = include === undefined ? [] : await includedFiles(include);
      const about = {
        tree: await source.tree(commit),
        commands: sorted(commands),
        environment: {
          platform: `${process.platform} ${process.arch}`,
          sandbox: options.sandbox === undefined ? "off" : "bubblewrap",
          setupNetwork,
          path: process.env.PATH ?? "",
          included: include === undefined ? "" : await digestOf(include, included),
        },
      };
      const key = createHash("sha256").update(JSON.stringify(about)).digest("hex");
      const known = running.has(key) ? undefined : await cache.get(key);
      if (known !== undefined) return { is: "done", passed: passed(known), results: known };
      // Looked at again: another caller may have started them while the cache was read.
      const waiting = running.get(key);
      if (waiting !== undefined) {
        waiting.add(commit);
        return { is: "running" };
      }
      if (failures.has(key)) {
        const failure = failures.get(key);
        failures.delete(key);
        throw failure;
      }
      running.set(key, new Set([commit]));
      void start(key, about, { commit, commands, setupNetwork, include, included });
      return { is: "running" };
    },
    inspect,
    subscribe(listener, until) {
      listeners.add(listener);
      until.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
  };

  async function start(key: string, about: object, request: Omit<ChecksRequest, "folder">): Promise<void> {
    const until = AbortSignal.any([signal, stopping.signal]);
    let stopped = false;
    const refuseStopped = (): void => {
      stopped ||= stop.inForce();
      if (stopped) throw new Error("The emergency stop is in force.");
    };
    let isOver = false;
    const over = (): void => {
      isOver = true;
      const commits = running.get(key) ?? new Set();
      running.delete(key);
      if (stop.inForce()) for (const commit of commits) interrupted.add(commit);
      else wake(commits);
    };
    const inTurn: InTurn = (work) =>
      places.hold(() => {
        until.throwIfAborted();
        return work();
      });
    const known = async (results: readonly CheckResult[]): Promise<void> => {
      await cache.put(key, results, { ...about, commit: request.commit, time: timestamp(clock.now()) });
      over();
    };
    try {
      await rooms.hold(async () => {
        until.throwIfAborted();
        const environs = { ...environment, signal: until, refuseStopped };
        await runChecks(environs, { ...request, folder: join(work, randomUUID()) }, { inTurn, known });
        if (environment.sandbox !== undefined && useNpm(request.commands))
          keptNpm ??= keepCompiledNpm(environs);
        await keptNpm;
      });
    } catch (error) {
      // What is known stays so: then only its checkout could not be removed, which the next start tries again.
      if (!isOver && !until.aborted && !stopped) failures.set(key, error);
    }
    if (!isOver) over();
  }
}

function passed(results: readonly CheckResult[]): boolean {
  return results.every(({ result }) => result === "Passed");
}

function useNpm(commands: CheckCommands): boolean {
  return Object.values(commands).some(({ run }) => startsNpm(run));
}

/** The same commands in the same order, however they were given. */
function sorted(commands: CheckCommands): readonly unknown[] {
  return Object.entries(commands)
    .map(([name, { run, timeoutSeconds }]) => [name, run, timeoutSeconds])
    .sort();
}
