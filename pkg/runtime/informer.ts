/**
 * A local copy of all objects of one kind, kept by list and watch. (Constants and order as in client-go's reflector.)
 */
import type { Kinds } from "../api/generated.ts";
import type { ObjectKey } from "../api/meta.ts";
import { compareResourceVersions, keyOf, keyString } from "../api/meta.ts";
import { isExpired } from "../api/status-error.ts";
import type { Client, Kind, List, ListOptions, WatchEvent } from "./client.ts";
import type { Clock, Random } from "./clock.ts";
import { labelSelector } from "./label-selector.ts";
import type { Logger } from "./logger.ts";

/** Pauses between lists that fail, doubling from the first to the second; a watch that held for the third was well. As client-go. */
const backoffBaseMs = 800;
const backoffMsMax = 30_000;
const backoffResetMs = 120_000;
/** How often everything is handed out again, in milliseconds: controller-runtime's ten hours. */
const resyncMsDefault = 36_000_000;

/** Why a watch ends; one for all, since making a DOMException each time would cost more than the end. */
const over = new Error("The watch is over");

export interface InformerOptions<K extends Kind> {
  kind: K;
  client: Client;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** How often every cached object is told to the listeners again, in milliseconds; 10 h when absent, jittered by 10 %. */
  resyncMs?: number;
}

/** What a listener is told: `previous` is what the cache held before, `object` the last known state when deleted. */
export interface Delta<T> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "RESYNC";
  object: T;
  previous: T | undefined;
}

export class Informer<K extends Kind> {
  readonly kind: K;
  readonly #options: InformerOptions<K>;
  readonly #objects = new Map<string, Kinds[K]>();
  readonly #listeners: ((delta: Delta<Kinds[K]>) => void)[] = [];
  readonly #progress = new Set<() => void>();
  /** The keys of all objects in order; undefined when some came or went. */
  #keys: readonly string[] | undefined;
  /** What `list` gives without a selector, by namespace; emptied with each change. */
  readonly #lists = new Map<string | undefined, readonly Kinds[K][]>();
  #lastRevision = "0";
  #listed = false;
  /** Relists asked for, and how many of them the cache's list was asked for after. */
  #wanted = 0;
  #answered = 0;
  #watch: AbortController | undefined;
  #failures = 0;
  /** The history after the last list was gone (410), and no event has come since. */
  #expired = false;

  constructor(options: InformerOptions<K>) {
    this.kind = options.kind;
    this.#options = options;
  }

  /** True once the first list is in the cache. */
  get hasSynced(): boolean {
    return this.#listed;
  }

  /** False from `relist` until the cache holds a list that was asked for after it. */
  get current(): boolean {
    return this.#listed && this.#answered === this.#wanted;
  }

  /** The newest resourceVersion that a list, an event or a bookmark of this kind has shown. */
  get lastRevision(): string {
    return this.#lastRevision;
  }

  get(key: ObjectKey): Kinds[K] | undefined {
    return this.#objects.get(keyString(key));
  }

  /** Cached objects by namespace and name, as the API lists them. */
  list({ namespace, labelSelector: selector }: ListOptions = {}): List<Kinds[K]> {
    const all = this.#lists.get(namespace) ?? this.#listOf(namespace);
    const items = selector === undefined ? all : all.filter(labelSelector(selector));
    return { metadata: { resourceVersion: this.#lastRevision }, items };
  }

  #listOf(namespace: string | undefined): readonly Kinds[K][] {
    this.#keys ??= [...this.#objects.keys()].sort();
    const items: Kinds[K][] = [];
    for (const key of this.#keys) {
      const object = this.#objects.get(key);
      if (object !== undefined && (namespace === undefined || object.metadata.namespace === namespace))
        items.push(object);
    }
    this.#lists.set(namespace, items);
    return items;
  }

  /** Calls `listener` with each change after the cache shows it. Add listeners before `run`. */
  onDelta(listener: (delta: Delta<Kinds[K]>) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves when the cache next moves: objects, revision or sync. */
  moved(): Promise<void> {
    return new Promise((resolve) => this.#progress.add(resolve));
  }

  /** Lists again now: somebody knows that the cache may have missed a change and cannot name its revision. */
  relist(): void {
    this.#wanted += 1;
    this.#watch?.abort(over);
  }

  /** Lists and watches until `signal` aborts, through any error, with back-off. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#keep(signal), this.#resync(signal)]);
  }

  async #keep(signal: AbortSignal): Promise<void> {
    let relist = true;
    while (!signal.aborted) {
      const startedMs = this.#options.clock.elapsed();
      try {
        if (relist || !this.current) await this.#list(signal);
        relist = false;
        await this.#follow(signal);
      } catch (error) {
        if (signal.aborted) break;
        relist ||= isExpired(error);
        // The server is well and asks for a new list. Only one that asks so after each list is left alone for a while.
        if (isExpired(error) && !this.#expired) {
          this.#expired = true;
          this.#failures = 0;
          this.#options.logger.info("The history is gone; the objects are listed anew", { kind: this.kind });
          continue;
        }
        if (this.#options.clock.elapsed() - startedMs >= backoffResetMs) this.#failures = 0;
        const delayMs = this.#backoffMs();
        this.#options.logger.warn("Informer failed and tries again", { kind: this.kind, delayMs, error });
        await this.#sleep(delayMs, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const wanted = this.#wanted;
    const { items, metadata } = await this.#options.client.list(this.kind);
    if (signal.aborted) return;
    this.#answered = wanted;
    this.#replace(items, metadata.resourceVersion);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const watch = new AbortController();
    this.#watch = watch;
    const end = (): void => watch.abort(over);
    signal.addEventListener("abort", end, { once: true });
    try {
      // Aborted during the first list, it would never hear of it.
      if (signal.aborted || !this.current) return;
      const resourceVersion = this.#lastRevision;
      for await (const event of this.#options.client.watch(this.kind, {
        resourceVersion,
        signal: watch.signal,
      })) {
        if (watch.signal.aborted) return;
        this.#failures = 0;
        this.#expired = false;
        this.#take(event);
      }
      // A server ends watches now and then; one that does so at once must not be asked in a tight loop.
      if (!watch.signal.aborted) await this.#sleep(this.#jitter(backoffBaseMs), watch.signal);
    } catch (error) {
      if (!watch.signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", end);
      this.#watch = undefined;
      watch.abort(over);
    }
  }

  #take(event: WatchEvent<Kinds[K]>): void {
    if (event.type === "BOOKMARK") {
      this.#see(event.resourceVersion);
      this.#report([]);
      return;
    }
    const { object } = event;
    const id = keyString(keyOf(object));
    const previous = this.#objects.get(id);
    this.#see(object.metadata.resourceVersion);
    this.#lists.clear();
    if (event.type === "DELETED" || previous === undefined) this.#keys = undefined;
    if (event.type === "DELETED") {
      this.#objects.delete(id);
      this.#report([{ type: "DELETED", object, previous }]);
      return;
    }
    this.#objects.set(id, object);
    this.#report([{ type: previous === undefined ? "ADDED" : "MODIFIED", object, previous }]);
  }

  /** Swaps in a whole list, then tells the differences: listeners never see half of it. */
  #replace(items: readonly Kinds[K][], revision: string): void {
    const before = new Map(this.#objects);
    this.#objects.clear();
    this.#keys = undefined;
    this.#lists.clear();
    const deltas: Delta<Kinds[K]>[] = [];
    for (const object of items) {
      const id = keyString(keyOf(object));
      const previous = before.get(id);
      before.delete(id);
      this.#objects.set(id, object);
      if (previous === undefined) deltas.push({ type: "ADDED", object, previous });
      else if (previous.metadata.resourceVersion !== object.metadata.resourceVersion)
        deltas.push({ type: "MODIFIED", object, previous });
    }
    // A server lists by name. Told is what was written first, as a watch would have: who queues for something gets its turn.
    deltas.sort(({ object: a }, { object: b }) =>
      compareResourceVersions(a.metadata.resourceVersion ?? "0", b.metadata.resourceVersion ?? "0"),
    );
    for (const previous of before.values()) deltas.push({ type: "DELETED", object: previous, previous });
    // The list is the truth even if its revision went back (a restored server): the watch goes on from it.
    this.#lastRevision = revision;
    this.#listed = true;
    this.#report(deltas);
  }

  #see(revision: string | undefined): void {
    if (revision !== undefined && compareResourceVersions(revision, this.#lastRevision) > 0)
      this.#lastRevision = revision;
  }

  #report(deltas: readonly Delta<Kinds[K]>[]): void {
    for (const delta of deltas) this.#tell(delta);
    const waiting = [...this.#progress];
    this.#progress.clear();
    for (const wake of waiting) wake();
  }

  #tell(delta: Delta<Kinds[K]>): void {
    for (const listener of this.#listeners) {
      try {
        listener(delta);
      } catch (error) {
        this.#options.logger.error("Informer listener failed", { kind: this.kind, error });
      }
    }
  }

  async #resync(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#sleep(this.#jitter(this.#options.resyncMs ?? resyncMsDefault), signal);
      if (signal.aborted) return;
      for (const object of [...this.#objects.values()])
        this.#tell({ type: "RESYNC", object, previous: object });
    }
  }

  #backoffMs(): number {
    const delayMs = Math.min(backoffBaseMs * 2 ** this.#failures, backoffMsMax);
    this.#failures += 1;
    return this.#jitter(delayMs);
  }

  /** `ms`, shortened or lengthened by up to a tenth, so that many informers do not come back together. */
  #jitter(ms: number): number {
    return Math.round(ms * (0.9 + this.#options.random.next() * 0.2));
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.clock.sleep(ms, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
