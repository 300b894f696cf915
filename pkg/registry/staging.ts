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
  #revision: number;

  /** @param revision - the newest one given */
  constructor(newest: ObjectStore, revision: number) {
    this.#newest = newest;
    this.#revision = revision;
  }

  get revision(): number {
    return this.#revision;
  }

  get(resource: Resource, key: ObjectKey): KubeObject | undefined {
    const id = `${resource.id}/${key.namespace}/${key.name}`;
    return this.#staged.has(id) ? this.#staged.get(id) : this.#newest.get(resource.id, key);
  }

  /** Stages `object` under the next revision and returns it with that, frozen. */
  put(resource: Resource, key: ObjectKey, object: KubeObject): KubeObject {
    const previous = this.get(resource, key);
    const revision = ++this.#revision;
    const stored = deepFreeze(withRevision(object, revision));
    this.#stage({ revision, resource: resource.id, ...key, object: stored, previous, told: stored });
    return stored;
  }

  /** Stages the deletion of what is there; `last` is its last state. */
  remove(resource: Resource, key: ObjectKey, last: KubeObject): void {
    const revision = ++this.#revision;
    const told = deepFreeze(withRevision(last, revision));
    const previous = this.get(resource, key);
    this.#stage({ revision, resource: resource.id, ...key, object: undefined, previous, told });
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
