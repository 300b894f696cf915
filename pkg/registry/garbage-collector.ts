import type { KubeObject, ObjectKey, OwnerReference } from "../api/meta.ts";
import { StatusError } from "../api/status-error.ts";
import type { DeleteOptions } from "../runtime/client.ts";
import type { Resource } from "./resource.ts";
import type { StagedChange } from "./staging.ts";

/** What the collector needs of the registry. */
export interface Collectable {
  resourceById(id: string): Resource | undefined;
  /** The resource that serves a kind, whatever the version. */
  resourceByKind(group: string, kind: string): Resource | undefined;
  newest(resource: string, key: ObjectKey): KubeObject | undefined;
  patch(resource: string, key: ObjectKey, patch: { type: "merge"; body: unknown }): Promise<KubeObject>;
  delete(resource: string, key: ObjectKey, options: DeleteOptions): Promise<unknown>;
}

interface Dependent {
  readonly resource: string;
  readonly key: ObjectKey;
}

/**
 * Deletes objects whose owners are all gone, in the background, and takes gone owners off those that have others.
 * Foreground and orphan deletion are refused elsewhere.
 *
 * An owner of a kind that is not served is unknown, not gone: its dependents stay.
 */
export class GarbageCollector {
  readonly #registry: Collectable;
  readonly #defer: (turn: () => void) => void;
  /** Dependents by the uid of an owner. */
  readonly #dependents = new Map<string, Map<string, Dependent>>();
  readonly #suspects = new Map<string, Dependent>();

  constructor(registry: Collectable, defer: (turn: () => void) => void) {
    this.#registry = registry;
    this.#defer = defer;
  }

  /** Takes synced changes; what they leave without owner is deleted in a later turn. */
  observe(
    changes: readonly Pick<StagedChange, "resource" | "namespace" | "name" | "object" | "previous">[],
  ): void {
    for (const { resource, namespace, name, object, previous } of changes) {
      const dependent = { resource, key: { namespace, name } };
      this.#index(dependent, previous?.metadata.ownerReferences, object?.metadata.ownerReferences);
      if (object === undefined) {
        const orphans = this.#dependents.get(previous?.metadata.uid ?? "");
        for (const orphan of orphans?.values() ?? []) this.#suspect(orphan);
      } else if (
        object.metadata.ownerReferences !== undefined &&
        object.metadata.ownerReferences !== previous?.metadata.ownerReferences
      ) {
        this.#suspect(dependent);
      }
    }
  }

  #index(
    dependent: Dependent,
    before: readonly OwnerReference[] | undefined,
    now: readonly OwnerReference[] | undefined,
  ): void {
    if (before === now) return;
    const id = idOf(dependent);
    for (const { uid } of before ?? []) {
      const others = this.#dependents.get(uid);
      others?.delete(id);
      if (others?.size === 0) this.#dependents.delete(uid);
    }
    for (const { uid } of now ?? []) {
      const others = this.#dependents.get(uid) ?? new Map<string, Dependent>();
      this.#dependents.set(uid, others.set(id, dependent));
    }
  }

  #suspect(dependent: Dependent): void {
    if (this.#suspects.size === 0) this.#defer(() => this.#collect());
    this.#suspects.set(idOf(dependent), dependent);
  }

  #collect(): void {
    const suspects = [...this.#suspects.values()];
    this.#suspects.clear();
    for (const suspect of suspects) {
      this.#examine(suspect).catch((error: unknown) => {
        // Lost a race: whoever won made a change, which is observed in its turn. A storage that failed has
        // already been reported by the registry. Anything else is a bug and must not pass unseen.
        if (!(error instanceof StatusError)) throw error;
      });
    }
  }

  async #examine({ resource, key }: Dependent): Promise<void> {
    const object = this.#registry.newest(resource, key);
    const owners = object?.metadata.ownerReferences;
    if (object === undefined || owners === undefined || object.metadata.deletionTimestamp !== undefined)
      return;
    const remaining = owners.filter((owner) => !this.#isGone(owner, key.namespace));
    if (remaining.length === owners.length) return;
    const { uid, resourceVersion } = object.metadata;
    const precondition = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    if (remaining.length === 0) {
      await this.#registry.delete(resource, key, { preconditions: precondition });
    } else {
      const body = { metadata: { ...precondition, ownerReferences: remaining } };
      await this.#registry.patch(resource, key, { type: "merge", body });
    }
  }

  #isGone(owner: OwnerReference, namespace: string): boolean {
    const slash = owner.apiVersion.indexOf("/");
    const group = slash < 0 ? "" : owner.apiVersion.slice(0, slash);
    const resource = this.#registry.resourceByKind(group, owner.kind);
    if (resource === undefined) return false;
    const key = { namespace: resource.namespaced ? namespace : "", name: owner.name };
    return this.#registry.newest(resource.id, key)?.metadata.uid !== owner.uid;
  }
}

function idOf({ resource, key }: Dependent): string {
  return `${resource}/${key.namespace}/${key.name}`;
}
