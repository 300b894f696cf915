import type { KubeObject } from "../api/meta.ts";
import type { WatchEvent } from "../runtime/client.ts";
import type { ObjectSelector } from "./field-selector.ts";
import { deepFreeze } from "./json.ts";
import { storeKey } from "./object-store.ts";
import type { View } from "./resource.ts";
import { type StagedChange, withRevision } from "./staging.ts";
import { expired } from "./status-errors.ts";

export interface Subscription {
  readonly resource: string;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  /** Absent: every object. */
  readonly selects?: ObjectSelector | undefined;
  /** How stored objects look to this watcher; absent: as they are stored. */
  readonly view?: View | undefined;
  /** Events after this revision. */
  readonly after: number;
  readonly signal?: AbortSignal | undefined;
}

/** Events after a revision, in revision order; the iterator returns when the signal of the watch aborts. */
export interface Watch extends AsyncIterable<WatchEvent<KubeObject>> {
  /** Asks for a BOOKMARK once everything that can be told has been: a watch may be resumed from its revision. */
  requestBookmark(): void;
}

export interface HistoryOptions {
  /** The most changes kept for each resource. */
  readonly limit: number;
  /** The revision that was loaded: nothing before it is known. */
  readonly start: number;
  readonly defer: (turn: () => void) => void;
  /** Milliseconds that only grow. */
  readonly elapsed: () => number;
}

/** As long as kube-apiserver keeps events for at least. */
const keptMs = 75_000;
/** So many changes are kept however old they are, if the limit allows it. */
const keptCount = 1024;

/** The changes of one resource that are still kept, oldest first. */
interface Log {
  changes: StagedChange[];
  /** When each of them was synced, by `elapsed`. */
  times: number[];
  /** How many changes were dropped before `changes[0]`. */
  dropped: number;
  /** The revision of the last change dropped: older watches have a gap. */
  droppedRevision: number;
  /** How many changes, dropped ones included, watchers may see. */
  visible: number;
  /** Shared by the watches of one definition: at how many changes, dropped ones included, they end. */
  ends: { at: number };
  /** Wakes the watches that wait. */
  readonly waiting: Set<() => void>;
}

/**
 * Synced changes, kept for a while, and the watches that follow them.
 *
 * A watch has no queue of its own: it is a place in this history. One that falls further behind than the
 * history reaches ends with 410 Expired, so a slow reader costs nothing. Lists of old revisions are answered from here
 * too: each change knows what it replaced.
 */
export class History {
  readonly #logs = new Map<string, Log>();
  readonly #options: HistoryOptions;
  readonly #listeners = new Set<(changes: readonly StagedChange[]) => void>();
  #untold: StagedChange[] = [];
  /** Whose watches are to end when watchers are next told of anything. */
  readonly #ending = new Set<Log>();
  #told: number;
  /** Nothing up to this revision is known. */
  #start: number;
  #ended: Error | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#told = options.start;
    this.#start = options.start;
  }

  /** Takes synced changes, in revision order; watchers and listeners see them in a later turn. */
  append(changes: readonly StagedChange[]): void {
    if (changes.length === 0) return;
    const now = this.#options.elapsed();
    for (const change of changes) {
      const log = this.#log(change.resource);
      log.changes.push(change);
      log.times.push(now);
    }
    if (this.#untold.length === 0) this.#options.defer(() => this.#tell());
    this.#untold.push(...changes);
  }

  /** Takes changes from before this server's life, in revision order and without a gap up to the start: nobody is told. */
  restore(changes: readonly StagedChange[]): void {
    const [first] = changes;
    if (first === undefined) return;
    this.#start = first.revision - 1;
    const now = this.#options.elapsed();
    for (const change of changes) {
      const log = this.#log(change.resource);
      log.changes.push(change);
      log.times.push(now);
      log.visible++;
    }
  }

  /** Drops all that happened so far: what a server does to come into being is nobody's history. */
  forget(): void {
    this.#start = this.#untold.at(-1)?.revision ?? this.#told;
    for (const log of this.#logs.values()) {
      log.dropped += log.changes.length;
      log.droppedRevision = this.#start;
      log.changes = [];
      log.times = [];
    }
  }

  /**
   * Lets the watches of a resource end once they have told what is known by now: its definition is another, or gone. They
   * do so when watchers are next told of anything, the change of the definition included.
   */
  endWatches(resource: string): void {
    const log = this.#log(resource);
    const last = log.ends;
    log.ends = { at: Number.POSITIVE_INFINITY };
    last.at = log.dropped + log.changes.length;
    this.#ending.add(log);
  }

  /** Every watch that waits, and every later one, throws `error`. */
  end(error: Error): void {
    this.#ended = error;
    for (const log of this.#logs.values()) wakeWatches(log);
  }

  listen(listener: (changes: readonly StagedChange[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Events after a revision. The iterator throws StatusError Expired when they are no longer all there. */
  watch(subscription: Subscription): Watch {
    const bookmark = { wanted: false, wake: () => {} };
    const events = this.#events(subscription, bookmark);
    return {
      [Symbol.asyncIterator]: () => events,
      requestBookmark() {
        bookmark.wanted = true;
        bookmark.wake();
      },
    };
  }

  /**
   * What was different at a revision: the objects of then by `storeKey`, undefined for one that did not exist. Keys that
   * are not in it were as they are now.
   *
   * @returns undefined when that is no longer known
   */
  differencesAt(resource: string, revision: number): Map<string, KubeObject | undefined> | undefined {
    const log = this.#log(resource);
    if (revision < log.droppedRevision) return undefined;
    const then = new Map<string, KubeObject | undefined>();
    const first = firstAfter(log.changes, revision);
    for (let i = log.changes.length - 1; i >= first; i--) {
      const change = log.changes[i] as StagedChange;
      then.set(storeKey(change), change.previous);
    }
    return then;
  }

  async *#events(
    subscription: Subscription,
    bookmark: { wanted: boolean; wake: () => void },
  ): AsyncGenerator<WatchEvent<KubeObject>, void, undefined> {
    const { resource, after, signal } = subscription;
    const log = this.#log(resource);
    let position = log.dropped + firstAfter(log.changes, after);
    const { ends } = log;
    if (after < log.droppedRevision) throw expired(String(after), log.droppedRevision);
    let wake: () => void = () => {};
    bookmark.wake = () => wake();
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
          if (event !== undefined) yield shown(event, subscription);
        }
        if (signal?.aborted || position >= ends.at) return;
        if (bookmark.wanted) {
          bookmark.wanted = false;
          if (this.#told >= after) yield { type: "BOOKMARK", resourceVersion: String(this.#told) };
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
          log.waiting.add(resolve);
        });
        log.waiting.delete(wake);
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #tell(): void {
    const changes = this.#untold;
    this.#untold = [];
    const moved = new Set(changes.map((change) => this.#log(change.resource)));
    for (const change of changes) this.#log(change.resource).visible++;
    this.#told = (changes.at(-1) as StagedChange).revision;
    for (const log of moved) this.#trim(log);
    for (const listener of this.#listeners) listener(changes);
    // Whoever watches something else sleeps on: a server has many watches, and most writes concern few of them.
    for (const log of new Set([...moved, ...this.#ending])) wakeWatches(log);
    this.#ending.clear();
  }

  /** Drops what is too much, or old, in blocks, so that dropping the oldest costs a constant for each change. */
  #trim(log: Log): void {
    const { limit, elapsed } = this.#options;
    const kept = Math.min(limit, keptCount);
    if (log.changes.length <= kept * 2) return;
    const young = elapsed() - keptMs;
    const old = log.times.findIndex((time) => time > young);
    const count = Math.max(
      Math.min(old < 0 ? log.changes.length : old, log.changes.length - kept),
      log.changes.length - limit,
    );
    // A tenth at least, or nothing: a long history is not copied for each change.
    if (count < log.changes.length / 10) return;
    log.droppedRevision = (log.changes[count - 1] as StagedChange).revision;
    log.changes = log.changes.slice(count);
    log.times = log.times.slice(count);
    log.dropped += count;
  }

  #log(resource: string): Log {
    let log = this.#logs.get(resource);
    if (log === undefined) {
      log = {
        changes: [],
        times: [],
        dropped: 0,
        droppedRevision: this.#start,
        visible: 0,
        ends: { at: Number.POSITIVE_INFINITY },
        waiting: new Set(),
      };
      this.#logs.set(resource, log);
    }
    return log;
  }
}

function wakeWatches({ waiting }: Log): void {
  const all = [...waiting];
  waiting.clear();
  for (const each of all) each();
}

function shown(event: WatchEvent<KubeObject>, { view }: Subscription): WatchEvent<KubeObject> {
  if (view === undefined || event.type === "BOOKMARK") return event;
  return { type: event.type, object: view.read(event.object) };
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
  const { namespace, view, selects } = subscription;
  if (namespace !== undefined && change.namespace !== namespace) return undefined;
  const { previous, object } = change;
  const selected = (stored: KubeObject): boolean =>
    selects === undefined || selects(view === undefined ? stored : view.read(stored));
  const before = previous !== undefined && selected(previous);
  const now = object !== undefined && selected(object);
  if (now) return { type: before ? "MODIFIED" : "ADDED", object: change.told };
  if (!before) return undefined;
  return { type: "DELETED", object: object === undefined ? change.told : leftAt(change) };
}

/** The last state that matched, at the revision at which it no longer did; one object for all watchers. */
function leftAt(change: StagedChange): KubeObject {
  let left = lefts.get(change);
  if (left === undefined) {
    left = deepFreeze(withRevision(change.previous as KubeObject, change.revision));
    lefts.set(change, left);
  }
  return left;
}

const lefts = new WeakMap<StagedChange, KubeObject>();
