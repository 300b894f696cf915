import type { KubeObject, ObjectKey } from "../api/meta.ts";
import type { Change } from "../storage/storage.ts";
import { deepFreeze } from "./json.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Resource } from "./resource.ts";

/** A change with what it replaces, for watches. */
export interface StagedChange extends Change {
  /** The state before; undefined when created. */
  readonly previous: KubeObject | undefined;
  /** What watchers are told: the new state, for a deletion the last one with the deletion's revision. */
  readonly told: KubeObject;
}

/**
 * Writes that are admitted together or not at all, over the newest state. Nothing outside changes until the registry
 * takes the changes over.
 */
export class Staging {
  readonly changes: StagedChange[] = [];
  readonly #newest: ObjectStore;
  readonly #staged = new Map<string, KubeObject | undefined>();
  readonly #dryRun: boolean;
  #revision: number;

  /**
   * @param revision - the newest one given
   * @param dryRun - nothing will come of it: objects keep the revision they have, new ones have none
   */
  constructor(newest: ObjectStore, revision: number, dryRun: boolean) {
    this.#newest = newest;
    this.#revision = revision;
    this.#dryRun = dryRun;
  }

  get revision(): number {
    return this.#revision;
  }

  get(resource: Resource, key: ObjectKey): KubeObject | undefined {
    const stored = this.#stored(resource, key);
    return stored === undefined || resource.view === undefined ? stored : resource.view.read(stored);
  }

  /** Stages `object` under the next revision and returns it with that, frozen; in a dry run with the one it has. */
  put(resource: Resource, key: ObjectKey, object: KubeObject): KubeObject {
    const { store, view } = resource;
    const previous = this.#stored(resource, key);
    const revision = ++this.#revision;
    const written = view === undefined ? object : view.write(object);
    const stored = deepFreeze(this.#dryRun ? written : withRevision(written, revision));
    this.#stage({ revision, resource: store, ...key, object: stored, previous, told: stored });
    return view === undefined ? stored : view.read(stored);
  }

  /** Stages the deletion of what is there; `last` is its last state. */
  remove(resource: Resource, key: ObjectKey, last: KubeObject): void {
    const revision = ++this.#revision;
    const { store, view } = resource;
    const told = deepFreeze(withRevision(view === undefined ? last : view.write(last), revision));
    const previous = this.#stored(resource, key);
    this.#stage({ revision, resource: store, ...key, object: undefined, previous, told });
  }

  #stored({ store }: Resource, key: ObjectKey): KubeObject | undefined {
    const id = `${store}/${key.namespace}/${key.name}`;
    return this.#staged.has(id) ? this.#staged.get(id) : this.#newest.get(store, key);
  }

  #stage(change: StagedChange): void {
    this.changes.push(change);
    this.#staged.set(`${change.resource}/${change.namespace}/${change.name}`, change.object);
  }
}

/** `object` at another revision. */
export function withRevision(object: KubeObject, revision: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}
