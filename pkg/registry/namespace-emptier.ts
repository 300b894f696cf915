import type { KubeObject, ObjectKey } from "../api/meta.ts";
import { sameJson } from "../api/same-json.ts";
import { StatusError } from "../api/status-error.ts";
import type { DeleteOptions } from "../runtime/client.ts";
import { type Clock, timestamp } from "../runtime/clock.ts";
import {
  contentFinalizer,
  type Namespace,
  type NamespaceCondition,
  namespaceResource,
} from "./builtin/namespace.ts";
import type { Resource, Subresource } from "./resource.ts";
import { controllersManager } from "./server-managers.ts";
import type { StagedChange } from "./staging.ts";
import { qualified } from "./status-errors.ts";

/** What the emptier needs of the registry. */
export interface Emptiable {
  definitions(): readonly Resource[];
  newest(resource: string, key: ObjectKey): KubeObject | undefined;
  newestIn(resource: string, namespace: string): readonly KubeObject[];
  update(
    resource: string,
    key: ObjectKey,
    object: unknown,
    options: { subresource: Subresource; fieldManager: string },
  ): Promise<KubeObject>;
  delete(resource: string, key: ObjectKey, options: DeleteOptions): Promise<unknown>;
}

/** Objects of one resource that are still in a namespace. */
interface Remainder {
  readonly resource: Resource;
  readonly objects: readonly KubeObject[];
}

/**
 * Deletes what is in a namespace that is being deleted, says in its conditions what still holds it, and lets it go when
 * nothing is left. The conditions and their words are those of Kubernetes' namespace controller.
 */
export class NamespaceEmptier {
  readonly #registry: Emptiable;
  readonly #clock: Clock;
  readonly #defer: (turn: () => void) => void;
  /** Namespaces that are being deleted. */
  readonly #terminating = new Set<string>();
  readonly #due = new Set<string>();

  constructor(registry: Emptiable, clock: Clock, defer: (turn: () => void) => void) {
    this.#registry = registry;
    this.#clock = clock;
    this.#defer = defer;
  }

  /** Takes synced changes; what they ask for is done in a later turn. */
  observe(changes: readonly Pick<StagedChange, "resource" | "namespace" | "name" | "object">[]): void {
    for (const { resource, namespace, name, object } of changes) {
      if (resource !== namespaceResource.id) {
        if (this.#terminating.has(namespace)) this.#look(namespace);
      } else if (object?.metadata.deletionTimestamp === undefined) {
        this.#terminating.delete(name);
      } else {
        this.#terminating.add(name);
        this.#look(name);
      }
    }
  }

  #look(namespace: string): void {
    if (this.#due.size === 0) this.#defer(() => this.#work());
    this.#due.add(namespace);
  }

  #work(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const namespace of due) {
      this.#empty(namespace).catch((error: unknown) => {
        // Lost a race: whoever won made a change, which is observed in its turn. A storage that failed has
        // already been reported by the registry. Anything else is a bug and must not pass unseen.
        if (!(error instanceof StatusError)) throw error;
      });
    }
  }

  async #empty(name: string): Promise<void> {
    const key = { namespace: "", name };
    const namespace = this.#registry.newest(namespaceResource.id, key) as Namespace | undefined;
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    const { finalizers = [] } = namespace.spec;
    if (!finalizers.includes(contentFinalizer)) return;
    await Promise.all(
      this.#remaining(name).flatMap(({ resource, objects }) => this.#delete(resource, objects)),
    );
    const remaining = this.#remaining(name);
    const newest = this.#registry.newest(namespaceResource.id, key) as Namespace | undefined;
    if (newest === undefined) return;
    if (remaining.length > 0) {
      const conditions = this.#conditions(remaining, newest.status.conditions ?? []);
      const object = { ...newest, status: { ...newest.status, conditions } };
      await this.#registry.update(namespaceResource.id, key, object, {
        subresource: "status",
        fieldManager: controllersManager,
      });
      return;
    }
    const left = (newest.spec.finalizers ?? []).filter((finalizer) => finalizer !== contentFinalizer);
    const object = { ...newest, spec: { finalizers: left } };
    await this.#registry.update(namespaceResource.id, key, object, {
      subresource: "finalize",
      fieldManager: controllersManager,
    });
  }

  #remaining(namespace: string): readonly Remainder[] {
    const stores = new Map<string, Resource>();
    for (const resource of this.#registry.definitions()) {
      if (resource.namespaced && resource.verbs.includes("delete")) stores.set(resource.store, resource);
    }
    return [...stores.values()]
      .map((resource) => ({ resource, objects: this.#registry.newestIn(resource.store, namespace) }))
      .filter(({ objects }) => objects.length > 0);
  }

  #delete(resource: Resource, objects: readonly KubeObject[]): readonly Promise<unknown>[] {
    return objects
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata: { namespace = "", name, uid } }) =>
        this.#registry.delete(
          resource.store,
          { namespace, name },
          uid === undefined ? {} : { preconditions: { uid } },
        ),
      );
  }

  /** What holds the namespace, with the times of conditions that say the same as before. */
  #conditions(
    remaining: readonly Remainder[],
    before: readonly NamespaceCondition[],
  ): readonly NamespaceCondition[] {
    const now = timestamp(this.#clock.now());
    return conditionsFor(remaining).map((condition) => {
      const old = before.find(({ type }) => type === condition.type);
      const same =
        old !== undefined &&
        sameJson({ ...old, lastTransitionTime: "" }, { ...condition, lastTransitionTime: "" });
      return same ? old : { ...condition, lastTransitionTime: now };
    });
  }
}

function conditionsFor(
  remaining: readonly Remainder[],
): readonly Omit<NamespaceCondition, "lastTransitionTime">[] {
  const finalizers = new Map<string, number>();
  for (const finalizer of remaining.flatMap(({ objects }) =>
    objects.flatMap(({ metadata }) => metadata.finalizers ?? []),
  )) {
    finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
  }
  const counts = remaining.map(
    ({ resource, objects }) =>
      `${qualified(resource.plural, resource.group)} has ${objects.length} resource instances`,
  );
  const held = [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  return [
    {
      type: "NamespaceDeletionDiscoveryFailure",
      status: "False",
      reason: "ResourcesDiscovered",
      message: "All resources successfully discovered",
    },
    {
      type: "NamespaceDeletionGroupVersionParsingFailure",
      status: "False",
      reason: "ParsedGroupVersions",
      message: "All legacy kube types successfully parsed",
    },
    {
      type: "NamespaceDeletionContentFailure",
      status: "False",
      reason: "ContentDeleted",
      message: "All content successfully deleted, may be waiting on finalization",
    },
    {
      type: "NamespaceContentRemaining",
      status: "True",
      reason: "SomeResourcesRemain",
      message: `Some resources are remaining: ${counts.sort().join(", ")}`,
    },
    held.length === 0
      ? {
          type: "NamespaceFinalizersRemaining",
          status: "False",
          reason: "ContentHasNoFinalizers",
          message: "All content-preserving finalizers finished",
        }
      : {
          type: "NamespaceFinalizersRemaining",
          status: "True",
          reason: "SomeFinalizersRemain",
          message: `Some content in the namespace has finalizers remaining: ${held.sort().join(", ")}`,
        },
  ];
}
