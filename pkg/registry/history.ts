import type { KubeObject } from "../api/meta.ts";
import type { WatchEvent } from "../runtime/client.ts";
import { deepFreeze } from "./json.ts";
import { everything, type LabelSelector } from "./label-selector.ts";
import { type StagedChange, withRevision } from "./staging.ts";
import { expired } from "./status-errors.ts";

export interface Subscription {
  readonly resource: string;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly selector?: LabelSelector;
  /** Events after this revision. */
  readonly after: number;
  readonly signal?: AbortSignal | undefined;
}

/** The changes of one resource that are still kept, oldest first. */
interface Log {
  changes: StagedChange[];
  /** How many changes were dropped before `changes[0]`. */
  dropped: number;
  /** The revision of the last change dropped: older watches have a gap. */
  droppedRevision: number;
  /** How many changes, dropped ones included, watchers may see. */
  visible: number;
}

/**
 * Synced changes, kept for a while, and the watches that follow them.
 *
 * A watch has no queue of its own: it is a place in this history. One that falls further behind than the
 * history reaches ends with 410 Expired, so a slow reader costs nothing.
 */
export class History {
  readonly #logs = new Map<string, Log>();
  readonly #limit: number;
  readonly #start: number;
  readonly #defer: (turn: () => void) => void;
  readonly #waiting = new Set<() => void>();
  readonly #listeners = new Set<(changes: readonly StagedChange[]) => void>();
  #untold: StagedChange[] = [];
  #ended: Error | undefined;

  /**
   * @param options.limit - changes kept for each resource
   * @param options.start - the revision that was loaded: nothing before it is known
   */
  constructor(options: { limit: number; start: number; defer: (turn: () => void) => void }) {
    this.#limit = options.limit;
    this.#start = options.start;
    this.#defer = options.defer;
  }

  /** Takes synced changes, in revision order; watchers and listeners see them in a later turn. */
  append(changes: readonly StagedChange[]): void {
    if (changes.length === 0) return;
    for (const change of changes) this.#log(change.resource).changes.push(change);
    if (this.#untold.length === 0) this.#defer(() => this.#tell());
    this.#untold.push(...changes);
  }

  /** Every watch that waits, and every later one, throws `error`. */
  end(error: Error): void {
    this.#ended = error;
    this.#wake();
  }

  listen(listener: (changes: readonly StagedChange[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Events after a revision until the signal aborts.
   *
   * @throws StatusError Expired when they are no longer all there
   */
  async *watch(subscription: Subscription): AsyncGenerator<WatchEvent<KubeObject>, void, undefined> {
    const { resource, after, signal } = subscription;
    const log = this.#log(resource);
    let position = log.dropped + firstAfter(log.changes, after);
    if (after < log.droppedRevision) throw expired(String(after), log.droppedRevision);
    let wake: () => void = () => {};
    const onAbort = (): void => wake();
    signal?.addEventListener("abort", onAbort);
    try {
      for (;;) {
        if (this.#ended !== undefined) throw this.#ended;
        while (position < log.visible && !signal?.aborted) {
          if (position < log.dropped) throw expired(String(after), log.droppedRevision);
          const change = log.changes[position - log.dropped] as StagedChange;
          position++;
          // A watch may start at a revision that is yet to come.
          if (change.revision <= after) continue;
          const event = eventFor(change, subscription);
          if (event !== undefined) yield event;
        }
        if (signal?.aborted) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
          this.#waiting.add(resolve);
        });
        this.#waiting.delete(wake);
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #tell(): void {
    const changes = this.#untold;
    this.#untold = [];
    for (const change of changes) this.#log(change.resource).visible++;
    for (const resource of new Set(changes.map((change) => change.resource))) this.#trim(this.#log(resource));
    for (const listener of this.#listeners) listener(changes);
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** In blocks, so that dropping the oldest costs a constant for each change. */
  #trim(log: Log): void {
    if (log.changes.length <= this.#limit * 2) return;
    const count = log.changes.length - this.#limit;
    log.droppedRevision = (log.changes[count - 1] as StagedChange).revision;
    log.changes = log.changes.slice(count);
    log.dropped += count;
  }

  #log(resource: string): Log {
    let log = this.#logs.get(resource);
    if (log === undefined) {
      log = { changes: [], dropped: 0, droppedRevision: this.#start, visible: 0 };
      this.#logs.set(resource, log);
    }
    return log;
  }
}

/** How many of `changes` are at or before `revision`. */
function firstAfter(changes: readonly StagedChange[], revision: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((changes[middle] as StagedChange).revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a watcher with this selector sees of a change: coming to match is ADDED, no longer matching is DELETED. */
function eventFor(change: StagedChange, subscription: Subscription): WatchEvent<KubeObject> | undefined {
  const { namespace, selector = everything } = subscription;
  if (namespace !== undefined && change.namespace !== namespace) return undefined;
  const before = change.previous !== undefined && selector(change.previous.metadata.labels);
  const now = change.object !== undefined && selector(change.object.metadata.labels);
  if (now) return { type: before ? "MODIFIED" : "ADDED", object: change.told };
  if (!before) return undefined;
  if (change.object === undefined) return { type: "DELETED", object: change.told };
  return {
    type: "DELETED",
    object: deepFreeze(withRevision(change.previous as KubeObject, change.revision)),
  };
}
