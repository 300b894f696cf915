/**
 * The Client that controllers are given: reads come from the informers' caches, writes go to the real client, and a
 * read first waits until the cache has seen every earlier write. So nobody acts on a cache that lacks the operator's
 * own last write, which would launch twice. (Kubernetes 1.36's ConsistencyStore, put into the reads.)
 */
import type { KubeObject, ObjectKey, ObjectMeta } from "../api/meta.ts";
import { compareResourceVersions, keyOf } from "../api/meta.ts";
import { StatusError } from "../api/status-error.ts";
import type { Client, Kind } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Informer } from "./informer.ts";
import type { Logger } from "./logger.ts";

/** Why a wait's timer ends; one for all, since making a DOMException each time would cost more than the wait. */
const caughtUpOrStopped = new Error("The cache caught up, or all stops");

/** How long a read waits for a cache before it asks the API itself. */
const catchUpMsMax = 30_000;

export interface CachingClientOptions {
  client: Client;
  clock: Clock;
  logger: Logger;
  /** Ends reads that wait: they reject with its reason. */
  signal: AbortSignal;
  /** The kind's informer; kinds without one are read from the API. */
  informer: <K extends Kind>(kind: K) => Informer<K> | undefined;
}

/** A Client over caches that can also read past them. */
export interface CachingClient extends Client {
  /** The client beneath: its reads see the newest state. For the rare decision that no precondition guards. */
  readonly fresh: Client;
}

/**
 * A Client whose `get` and `list` are answered from caches that hold all earlier writes made through it. A cache that
 * does not catch up within 30 s is passed by, and the API read, until it has.
 */
export function cachingClient(options: CachingClientOptions): CachingClient {
  const { client, clock, logger, signal, informer } = options;
  const written = new Map<Kind, Written>();
  const writtenTo = (kind: Kind): Written => {
    const known = written.get(kind) ?? new Written();
    written.set(kind, known);
    return known;
  };

  /** The kind's cache when it holds all that was written: the usual case, in which nothing has to be waited for. */
  function caughtUpNow<K extends Kind>(kind: K): Informer<K> | undefined {
    const cache = informer(kind);
    return cache?.hasSynced && writtenTo(kind).isIn(cache) ? cache : undefined;
  }

  /** The kind's cache once it holds all that was written before this call; undefined: read the API. */
  async function caughtUp<K extends Kind>(kind: K): Promise<Informer<K> | undefined> {
    const cache = informer(kind);
    if (cache === undefined) return undefined;
    // While the operator starts: the first list is under way, and another would ask the same.
    if (!cache.hasSynced && !(await within(clock, catchUpMsMax, signal, cache, () => cache.hasSynced)))
      return undefined;
    const own = writtenTo(kind);
    const seen = own.snapshot(cache);
    if (seen()) return cache;
    if (own.lagging) return undefined;
    if (await within(clock, catchUpMsMax, signal, cache, seen)) return cache;
    own.lagging = true;
    logger.warn("Cache does not show an own write and is passed by", { kind, revision: cache.lastRevision });
    return undefined;
  }

  /** Runs a write and remembers what the cache has to show before the next read. */
  async function recorded<T>(kind: Kind, write: () => Promise<T>, remember: (answer: T) => void): Promise<T> {
    try {
      const answer = await write();
      // Kinds without a cache have nothing to catch up with.
      if (informer(kind) !== undefined) remember(answer);
      return answer;
    } catch (error) {
      // Without a clear refusal the write may have been made: only a new list can tell.
      if (!isRefusal(error)) informer(kind)?.relist();
      throw error;
    }
  }

  const wrote = (kind: Kind) => (object: KubeObject) => writtenTo(kind).wrote(object);

  return {
    fresh: client,
    async get(kind, key) {
      const cache = caughtUpNow(kind) ?? (await caughtUp(kind));
      return cache === undefined ? client.get(kind, key) : cache.get(key);
    },
    async list(kind, options) {
      const cache = caughtUpNow(kind) ?? (await caughtUp(kind));
      return cache === undefined ? client.list(kind, options) : cache.list(options);
    },
    watch: (kind, options) => client.watch(kind, options),
    create: (kind, object) => recorded(kind, () => client.create(kind, object), wrote(kind)),
    update: (kind, object) => recorded(kind, () => client.update(kind, object), wrote(kind)),
    updateStatus: (kind, object) => recorded(kind, () => client.updateStatus(kind, object), wrote(kind)),
    patch: (kind, key, patch, options) =>
      recorded(kind, () => client.patch(kind, key, patch, options), wrote(kind)),
    delete: (kind, key, options) => {
      const uid = options?.preconditions?.uid ?? informer(kind)?.get(key)?.metadata.uid;
      return recorded(
        kind,
        () => client.delete(kind, key, options),
        () => writtenTo(kind).deleted(key, uid),
      );
    },
  };
}

/** The client that reads past the caches, for one that may be a caching client. */
export function fresh(client: Client): Client {
  return "fresh" in client ? (client as CachingClient).fresh : client;
}

/** What is asked of an informer here. */
interface Cache {
  readonly current: boolean;
  readonly lastRevision: string;
  get(key: ObjectKey): { metadata: ObjectMeta } | undefined;
  moved(): Promise<void>;
}

/** A deletion names no revision: it is seen when the object is gone, replaced or being deleted. */
interface Deletion {
  key: ObjectKey;
  uid: string | undefined;
  /** Its last finalizer is off, so that a deletionTimestamp is not enough. */
  final: boolean;
}

/** What was written to one kind and may not be in its cache yet. */
class Written {
  lagging = false;
  #revision = "0";
  #deletions: readonly Deletion[] = [];

  wrote(object: KubeObject): void {
    const { resourceVersion = "0", deletionTimestamp, finalizers = [], uid } = object.metadata;
    if (compareResourceVersions(resourceVersion, this.#revision) > 0) this.#revision = resourceVersion;
    if (deletionTimestamp !== undefined && finalizers.length === 0)
      this.#deletions = [...this.#deletions, { key: keyOf(object), uid, final: true }];
  }

  deleted(key: ObjectKey, uid: string | undefined): void {
    this.#deletions = [...this.#deletions, { key, uid, final: false }];
  }

  /** Whether `cache` shows all that has been written. */
  isIn(cache: Cache): boolean {
    return this.#isIn(cache, this.#revision, this.#deletions);
  }

  /** Whether `cache` shows all that has been written until now; later writes do not move the goal. */
  snapshot(cache: Cache): () => boolean {
    const revision = this.#revision;
    const deletions = this.#deletions;
    return () => this.#isIn(cache, revision, deletions);
  }

  #isIn(cache: Cache, revision: string, deletions: readonly Deletion[]): boolean {
    if (!cache.current || compareResourceVersions(cache.lastRevision, revision) < 0) return false;
    if (!deletions.every((deletion) => shows(cache, deletion))) return false;
    this.lagging = false;
    if (deletions.length > 0)
      this.#deletions = this.#deletions.filter((deletion) => !deletions.includes(deletion));
    return true;
  }
}

function shows(cache: Cache, { key, uid, final }: Deletion): boolean {
  const object = cache.get(key);
  if (object === undefined || (uid !== undefined && object.metadata.uid !== uid)) return true;
  return !final && object.metadata.deletionTimestamp !== undefined;
}

/** Resolves true when `holds` does, looking each time `cache` moves, or false after `ms`; rejects when aborted. */
async function within(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  cache: Cache,
  holds: () => boolean,
): Promise<boolean> {
  signal.throwIfAborted();
  const timer = new AbortController();
  const end = (): void => timer.abort(caughtUpOrStopped);
  signal.addEventListener("abort", end, { once: true });
  let late = false;
  const over = (): void => {
    late = true;
  };
  // Ended early: all stops, or there is no clock any more. Waiting on would be a loop without a pause.
  const deadline = clock.sleep(ms, timer.signal).then(over, over);
  try {
    while (!late && !signal.aborted && !holds()) await Promise.race([cache.moved(), deadline]);
    signal.throwIfAborted();
    return !late;
  } finally {
    signal.removeEventListener("abort", end);
    timer.abort(caughtUpOrStopped);
  }
}

/** The API answered, and the answer says that nothing was written. */
function isRefusal(error: unknown): boolean {
  return error instanceof StatusError && error.code >= 400 && error.code < 500;
}
