/** Runs controllers: shared informers feed their queues, workers reconcile, the error taxonomy decides what follows. */
import type { KubeObject, ObjectKey } from "../api/meta.ts";
import { keyOf, keyString } from "../api/meta.ts";
import { sameJson } from "../api/same-json.ts";
import { StatusError } from "../api/status-error.ts";
import { aborted } from "./aborted.ts";
import type { CachingClient } from "./caching-client.ts";
import { cachingClient } from "./caching-client.ts";
import type { Client, Kind } from "./client.ts";
import type { Clock, Random } from "./clock.ts";
import type { Controller, WatchSource } from "./controller.ts";
import { TerminalError, TransientError, WaitingError } from "./errors.ts";
import { type Delta, Informer } from "./informer.ts";
import type { Logger } from "./logger.ts";
import { WorkQueue } from "./queue.ts";

export interface ManagerOptions {
  client: Client;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Makes the controllers around the client they are to use: cached reads that hold the operator's own writes. */
  controllers: (client: CachingClient) => readonly Controller[];
  /** How often everything is looked at anew, in milliseconds; 10 h when absent. */
  resyncMs?: number;
}

/** `settled`, `requeued`: Next said so. `failed`: an error outside the taxonomy, a bug. */
export type Result = "settled" | "requeued" | "transient" | "waiting" | "terminal" | "failed";

/** One controller's numbers since start, and its queue now. */
export interface Counters {
  reconciles: Record<Result, number>;
  /** Times that a key came back because of an error. */
  retries: number;
  /** Throws of `map` and of `subscribe`. */
  wakeFailures: number;
  depth: number;
  active: number;
}

/** Between tries of a map that the API did not answer, in milliseconds: doubled each time. */
const mapBackoffMs = { from: 800, to: 30_000 };

type Facts = NonNullable<WatchSource["by"]>;
type Mapping = NonNullable<WatchSource["map"]>;
type Keys = ReturnType<Mapping>;

interface Running {
  controller: Controller;
  queue: WorkQueue;
  counters: Counters;
}

export class Manager {
  readonly client: CachingClient;
  readonly #options: ManagerOptions;
  readonly #informers = new Map<Kind, Informer<Kind>>();
  readonly #changes = new Map<Kind, Map<Facts, (delta: Delta<KubeObject>) => boolean>>();
  readonly #running: readonly Running[];
  readonly #stopping = new AbortController();
  readonly #work: Promise<void>[] = [];

  constructor(options: ManagerOptions) {
    this.#options = options;
    const { client, clock, logger } = options;
    const informer = <K extends Kind>(kind: K) => this.#informers.get(kind) as Informer<K> | undefined;
    this.client = cachingClient({ client, clock, logger, informer, signal: this.#stopping.signal });
    this.#running = options.controllers(this.client).map((controller) => ({
      controller,
      queue: new WorkQueue(clock, controller.backoffMsMax),
      counters: newCounters(),
    }));
    for (const running of this.#running)
      for (const source of running.controller.watches) this.#watch(running, source);
  }

  /** Resolves once every cache is synced and the workers run, or once stopped. */
  async start(): Promise<void> {
    const { signal } = this.#stopping;
    for (const informer of this.#informers.values()) this.#spawn("Informer ended", informer.run(signal));
    await Promise.race([this.#synced(), aborted(signal)]);
    if (signal.aborted) return;
    for (const running of this.#running) {
      this.#subscribe(running, signal);
      const workers = running.controller.concurrency ?? 1;
      for (let worker = 0; worker < workers; worker += 1)
        this.#spawn("Worker ended", this.#workOff(running, signal));
    }
  }

  /** Aborts the signals given out, takes no more keys and resolves when the running reconciles have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("The manager stops"));
    for (const { queue } of this.#running) queue.close();
    await Promise.all(this.#work);
  }

  /** Numbers by controller name, for metrics. */
  counters(): Record<string, Counters> {
    return Object.fromEntries(
      this.#running.map(({ controller, queue, counters }) => [
        controller.name,
        { ...counters, reconciles: { ...counters.reconciles }, depth: queue.depth },
      ]),
    );
  }

  /** Has `controller` look at `key` as if something watched had changed. */
  wake(controller: string, key: ObjectKey): void {
    this.#running.find((running) => running.controller.name === controller)?.queue.add(key);
  }

  #watch(running: Running, source: WatchSource): void {
    const changed = this.#changesBy(source);
    this.#informerOf(source.kind).onDelta((delta) => {
      if (changed(delta)) this.#wakeBy(running, source, delta);
    });
  }

  /** Whether what counts of an object has changed: watches for which the same counts share the answer. */
  #changesBy({ kind, by }: WatchSource): (delta: Delta<KubeObject>) => boolean {
    if (by === undefined) return () => true;
    const ofKind = this.#changes.get(kind) ?? new Map<Facts, (delta: Delta<KubeObject>) => boolean>();
    this.#changes.set(kind, ofKind);
    const changed = ofKind.get(by) ?? changesBy(by);
    ofKind.set(by, changed);
    return changed;
  }

  #wakeBy({ controller, queue, counters }: Running, source: WatchSource, delta: Delta<KubeObject>): void {
    const { kind, map, delayMs = 0 } = source;
    if (map === undefined) {
      queue.addAfter(keyOf(delta.object), delayMs);
      return;
    }
    const ask = (): Keys => concernedBy(map, delta);
    const wake = (keys: readonly ObjectKey[]): void => {
      for (const key of keys) queue.addAfter(key, delayMs);
    };
    const failed = (error: unknown): void => {
      counters.wakeFailures += 1;
      // The resync repairs what is missed here.
      this.#options.logger.error("Map of a watch failed", { controller: controller.name, kind, error });
    };
    try {
      const keys = ask();
      if (!(keys instanceof Promise)) wake(keys);
      else
        keys
          .catch((error: unknown) => this.#mapAgain(error, ask))
          .then(wake)
          .catch((error: unknown) => this.#stopping.signal.aborted || failed(error));
    } catch (error) {
      failed(error);
    }
  }

  /** What `map` gives once the API answers it again, which it did not; any other error is thrown. */
  async #mapAgain(error: unknown, map: () => Keys): Promise<readonly ObjectKey[]> {
    const { clock, random } = this.#options;
    for (let delayMs = mapBackoffMs.from; ; delayMs = Math.min(2 * delayMs, mapBackoffMs.to)) {
      if (!(error instanceof TransientError || mayPass(error))) throw error;
      await clock.sleep(delayMs * (0.9 + 0.2 * random.next()), this.#stopping.signal);
      try {
        return await map();
      } catch (again) {
        error = again;
      }
    }
  }

  #subscribe({ controller, queue, counters }: Running, signal: AbortSignal): void {
    for (const source of controller.signals ?? []) {
      try {
        source.subscribe((key) => queue.add(key), signal);
      } catch (error) {
        counters.wakeFailures += 1;
        this.#options.logger.error("Subscribing to a signal failed", { controller: controller.name, error });
      }
    }
  }

  async #workOff(running: Running, signal: AbortSignal): Promise<void> {
    const { queue, counters } = running;
    for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
      counters.active += 1;
      const result = await this.#reconcile(running, key, signal);
      counters.reconciles[result] += 1;
      counters.active -= 1;
      queue.done(key);
    }
  }

  async #reconcile(running: Running, key: ObjectKey, signal: AbortSignal): Promise<Result> {
    const { controller, queue } = running;
    try {
      const next = await controller.reconcile(key, signal);
      queue.forget(key);
      if (next.after === "change") return "settled";
      queue.addAfter(key, next.ms);
      return "requeued";
    } catch (error) {
      return this.#sort(running, key, error, signal);
    }
  }

  /** What follows an error: its class alone decides. */
  #sort(
    { controller, queue, counters }: Running,
    key: ObjectKey,
    error: unknown,
    signal: AbortSignal,
  ): Result {
    const logger = this.#options.logger.with({ controller: controller.name, ...key });
    if (signal.aborted) {
      logger.debug("Reconcile ended by stop", { error });
      return "waiting";
    }
    if (error instanceof WaitingError) {
      logger.debug("Reconcile waits", { reason: error.reason, seconds: error.seconds });
      queue.forget(key);
      queue.addAfter(key, error.seconds * 1000);
      return "waiting";
    }
    if (error instanceof TerminalError) {
      logger.warn("Reconcile cannot go on until the spec changes", { reason: error.reason, error });
      queue.forget(key);
      return "terminal";
    }
    counters.retries += 1;
    queue.addBackedOff(key);
    if (error instanceof TransientError || mayPass(error)) {
      logger.info("Reconcile is tried again", { reason: error.reason, message: error.message });
      return "transient";
    }
    logger.error("Reconcile failed", { reason: "InternalError", error });
    return "failed";
  }

  #informerOf(kind: Kind): Informer<Kind> {
    const known = this.#informers.get(kind);
    if (known !== undefined) return known;
    const { client, clock, random, logger, resyncMs } = this.#options;
    const informer = new Informer({
      kind,
      client,
      clock,
      random,
      logger,
      ...(resyncMs === undefined ? {} : { resyncMs }),
    });
    this.#informers.set(kind, informer);
    return informer;
  }

  async #synced(): Promise<void> {
    for (const informer of this.#informers.values()) while (!informer.hasSynced) await informer.moved();
  }

  #spawn(message: string, work: Promise<void>): void {
    this.#work.push(work.catch((error: unknown) => this.#options.logger.error(message, { error })));
  }
}

/**
 * Whom a change concerns; what the object concerned before counts too, since it may just have let go of it. Each once:
 * who is at hand begins at the first call, and would have to look again for the second.
 */
function concernedBy(map: Mapping, { object, previous = object }: Delta<KubeObject>): Keys {
  const now = map(object, "is");
  const before = previous === object ? [] : map(previous, "was");
  if (!(now instanceof Promise) && !(before instanceof Promise)) return eachOnce([...now, ...before]);
  return Promise.all([now, before]).then((keys) => eachOnce(keys.flat()));
}

function eachOnce(keys: readonly ObjectKey[]): readonly ObjectKey[] {
  return [...new Map(keys.map((key) => [keyString(key), key])).values()];
}

/** Whether what counts of an object has changed. What it was is kept, so that each state is looked at once. */
function changesBy(by: Facts): (delta: Delta<KubeObject>) => boolean {
  const known = new Map<string, { object: KubeObject; facts: unknown }>();
  const hasChanged = ({ type, object, previous }: Delta<KubeObject>): boolean => {
    const id = keyString(keyOf(object));
    const before = known.get(id);
    const facts = before?.object === object ? before.facts : by(object);
    if (type === "DELETED") known.delete(id);
    else known.set(id, { object, facts });
    const factsOf = (state: KubeObject): unknown => (before?.object === state ? before.facts : by(state));
    const was = previous === undefined ? undefined : factsOf(previous);
    if (type === "MODIFIED") return !sameJson(facts, was);
    return facts !== undefined || was !== undefined;
  };
  let last: { delta: Delta<KubeObject>; answer: boolean } | undefined;
  return (delta) => {
    // An informer tells all its listeners of one change before the next.
    if (last?.delta !== delta) last = { delta, answer: hasChanged(delta) };
    return last.answer;
  };
}

/**
 * The API's own errors that a retry can help: a lost race, a server in trouble, and what a person gives back while we
 * run: a right, credentials, a whole kind.
 */
function mayPass(error: unknown): error is StatusError {
  if (!(error instanceof StatusError)) return false;
  // A kind that is not served is answered with a page, an object that is not there with a Status.
  if (error.code === 404) return error.reason !== "NotFound";
  return [401, 403, 409, 429].includes(error.code) || error.code >= 500;
}

function newCounters(): Counters {
  return {
    reconciles: { settled: 0, requeued: 0, transient: 0, waiting: 0, terminal: 0, failed: 0 },
    retries: 0,
    wakeFailures: 0,
    depth: 0,
    active: 0,
  };
}
