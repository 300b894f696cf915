import type { KubeObject } from "../api/meta.ts";
import type { StatusError } from "../api/status-error.ts";
import type { Change, FileText, Storage } from "../storage/storage.ts";
import { History } from "./history.ts";
import { ObjectStore } from "./object-store.ts";
import { type StagedChange, Staging } from "./staging.ts";
import { internalError } from "./status-errors.ts";

export interface DurableStateOptions {
  readonly storage: Storage;
  /** The greatest revision that the storage has given. */
  readonly revision: number;
  readonly historyLimit: number;
  /** Milliseconds that only grow. */
  readonly elapsed: () => number;
  readonly defer: (turn: () => void) => void;
  /** Told changes at once, as they become the newest state. */
  readonly onAdmitted: (changes: readonly StagedChange[]) => void;
  /** Told changes in revision order, in the turn in which they were synced. */
  readonly onSynced: (changes: readonly StagedChange[]) => void;
  readonly onFatal: (error: Error) => void;
}

/**
 * The registry's objects in two states: the newest, on which writes are admitted, and the synced, which is all that
 * readers and watchers see. A commit takes writes into the first at once and into the second when the storage has them.
 *
 * A commit that fails is the end: what is newest is no longer what is stored, so nothing more is accepted.
 */
export class DurableState {
  readonly newest = new ObjectStore();
  readonly synced = new ObjectStore();
  readonly history: History;
  readonly #options: DurableStateOptions;
  #newestRevision: number;
  #syncedRevision: number;
  #lastCommit: Promise<void> = Promise.resolve();
  #failure: StatusError | undefined;

  constructor(options: DurableStateOptions) {
    const { revision, historyLimit, defer, elapsed } = options;
    this.#options = options;
    this.#newestRevision = revision;
    this.#syncedRevision = revision;
    this.history = new History({ limit: historyLimit, start: revision, defer, elapsed });
  }

  /** The newest synced revision. */
  get revision(): number {
    return this.#syncedRevision;
  }

  /** Why nothing is accepted any more; undefined while all is well. */
  get failure(): StatusError | undefined {
    return this.#failure;
  }

  assertAlive(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Takes in an object that the storage has already. */
  load(change: Change, object: KubeObject): void {
    this.newest.set(change.resource, change, object);
    this.synced.set(change.resource, change, object);
  }

  /** Shows the objects of a resource otherwise from now on; what is stored of them stays as it is. */
  rewrite(resource: string, rewritten: (object: KubeObject) => KubeObject): void {
    // Most objects are in both states: they stay shared.
    const done = new Map<KubeObject, KubeObject>();
    for (const objects of [this.newest, this.synced]) {
      for (const object of objects.list(resource)) {
        const next = done.get(object) ?? rewritten(object);
        done.set(object, next);
        objects.set(
          resource,
          { namespace: object.metadata.namespace ?? "", name: object.metadata.name },
          next,
        );
      }
    }
  }

  /**
   * Begins writes over the newest state. They must be committed in the same turn, or given up.
   *
   * @param dryRun - they will be given up: objects keep the revisions they have
   */
  stage(dryRun = false): Staging {
    return new Staging(this.newest, this.#newestRevision, dryRun);
  }

  /**
   * Takes staged writes over at once, and resolves when they are synced.
   *
   * Without changes it resolves when all before is synced: what the writer saw may be pending still.
   *
   * @throws StatusError InternalError when the storage failed, now or before
   */
  async commit(staging: Staging, files: readonly FileText[] = []): Promise<void> {
    const { changes } = staging;
    if (changes.length === 0 && files.length === 0) return this.#lastCommit;
    for (const change of changes) this.newest.set(change.resource, change, change.object);
    this.#newestRevision = staging.revision;
    this.#options.onAdmitted(changes);
    const written = changes.map(storedChange);
    this.#lastCommit = this.#options.storage
      .commit(files.length === 0 ? { changes: written } : { changes: written, files })
      .then(
        () => this.#publish(staging),
        (cause) => this.#fail(cause),
      );
    return this.#lastCommit;
  }

  #publish(staging: Staging): void {
    this.assertAlive();
    for (const change of staging.changes) this.synced.set(change.resource, change, change.object);
    this.#syncedRevision = staging.revision;
    this.history.append(staging.changes);
    this.#options.onSynced(staging.changes);
  }

  #fail(cause: unknown): never {
    if (this.#failure === undefined) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const what = "the storage failed and nothing more is accepted; restart to recover";
      this.#failure = internalError(`${what}: ${why}`);
      this.#failure.cause = cause;
      this.history.end(this.#failure);
      this.#options.onFatal(this.#failure);
    }
    throw this.#failure;
  }
}

/** The change without what only watches need. */
function storedChange({ revision, resource, namespace, name, object }: StagedChange): Change {
  return { revision, resource, namespace, name, object };
}
