import type { KubeObject, ObjectKey } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";
import { StatusError } from "../../api/status-error.ts";
import type { DeleteOptions } from "../../runtime/client.ts";
import { type Clock, timestamp } from "../../runtime/clock.ts";
import { definitionResource } from "../builtin/definition.ts";
import { resourceId, type Subresource } from "../resource.ts";
import { apiServerManager } from "../server-managers.ts";
import type { StagedChange } from "../staging.ts";
import { acceptNames, establish } from "./accept-names.ts";
import { tellApproval } from "./api-approval.ts";
import {
  type CustomResourceDefinition,
  cleanupFinalizer,
  type DefinitionStatus,
  isTrue,
  withCondition,
} from "./definition.ts";

/** What the keeper needs of the registry. */
export interface Kept {
  newest(resource: string, key: ObjectKey): KubeObject | undefined;
  newestIn(resource: string, namespace?: string): readonly KubeObject[];
  update(
    resource: string,
    key: ObjectKey,
    object: unknown,
    options: { subresource?: Subresource; fieldManager: string },
  ): Promise<KubeObject>;
  delete(resource: string, key: ObjectKey, options: DeleteOptions): Promise<unknown>;
}

/**
 * Does for CustomResourceDefinitions what Kubernetes' controllers do: accepts their names where no other has them,
 * establishes them, tells of their approval where one is needed, and deletes the objects of one that is being deleted
 * before it goes.
 */
export class DefinitionKeeper {
  readonly #registry: Kept;
  readonly #clock: Clock;
  readonly #defer: (turn: () => void) => void;
  readonly #due = new Set<string>();
  /** Stores of definitions that are being deleted, and the names of those. */
  readonly #emptying = new Map<string, string>();

  constructor(registry: Kept, clock: Clock, defer: (turn: () => void) => void) {
    this.#registry = registry;
    this.#clock = clock;
    this.#defer = defer;
  }

  /** Takes synced changes; what they ask for is done in a later turn. */
  observe(changes: readonly Pick<StagedChange, "resource" | "name" | "object" | "previous">[]): void {
    for (const { resource, name, object, previous } of changes) {
      const emptied = this.#emptying.get(resource);
      if (emptied !== undefined && object === undefined) this.#look(emptied);
      if (resource !== definitionResource.id) continue;
      this.#look(name);
      const changed = (object ?? previous) as CustomResourceDefinition;
      // What one gives up another may have been waiting for.
      const before = previous as CustomResourceDefinition | undefined;
      const freed =
        object === undefined || !sameJson(before?.status.acceptedNames, changed.status.acceptedNames);
      if (before !== undefined && freed) this.#lookAtGroup(changed.spec.group);
    }
  }

  #lookAtGroup(group: string): void {
    for (const definition of this.#definitions()) {
      if (definition.spec.group === group) this.#look(definition.metadata.name);
    }
  }

  #look(name: string): void {
    if (this.#due.size === 0) this.#defer(() => this.#work());
    this.#due.add(name);
  }

  #work(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const name of due) {
      this.#keep(name).catch((error: unknown) => {
        // Lost a race: whoever won made a change, which is observed in its turn. A storage that failed has
        // already been reported by the registry. Anything else is a bug and must not pass unseen.
        if (!(error instanceof StatusError)) throw error;
      });
    }
  }

  async #keep(name: string): Promise<void> {
    const definition = this.#definition(name);
    if (definition === undefined) return;
    if (definition.metadata.deletionTimestamp !== undefined) return this.#cleanUp(definition);
    const now = timestamp(this.#clock.now());
    const others = this.#definitions().filter(
      (other) => other.spec.group === definition.spec.group && other.metadata.name !== name,
    );
    const status =
      acceptNames(definition, others, now) ?? establish(definition, now) ?? tellApproval(definition, now);
    if (status !== undefined) await this.#say(definition, status);
  }

  async #cleanUp(definition: CustomResourceDefinition): Promise<void> {
    const { metadata, spec, status } = definition;
    if (!metadata.finalizers?.includes(cleanupFinalizer)) return;
    const now = timestamp(this.#clock.now());
    const store = resourceId(spec.group, status.acceptedNames.plural);
    if (isTrue(definition, "Established")) {
      this.#emptying.set(store, metadata.name);
      await Promise.all(this.#registry.newestIn(store).map((object) => this.#delete(store, object)));
      if (this.#registry.newestIn(store).length > 0) {
        const message = "CustomResource deletion is in progress";
        const reason = "InstanceDeletionInProgress";
        const said = withCondition(status, { type: "Terminating", status: "True", reason, message }, now);
        if (!sameJson(said, status)) await this.#say(definition, said);
        return;
      }
    }
    this.#emptying.delete(store);
    const done = isTrue(definition, "Established")
      ? { reason: "InstanceDeletionCompleted", message: "removed all instances" }
      : { reason: "NeverEstablished", message: "resource was never established" };
    const said = withCondition(status, { type: "Terminating", status: "False", ...done }, now);
    const last = (await this.#say(definition, said)) as CustomResourceDefinition;
    const finalizers = last.metadata.finalizers?.filter((finalizer) => finalizer !== cleanupFinalizer) ?? [];
    const freed = { ...last, metadata: { ...last.metadata, finalizers } };
    await this.#registry.update(definitionResource.id, keyOf(definition), freed, {
      fieldManager: apiServerManager,
    });
  }

  async #delete(store: string, { metadata }: KubeObject): Promise<void> {
    if (metadata.deletionTimestamp !== undefined) return;
    const { namespace = "", name, uid } = metadata;
    await this.#registry.delete(
      store,
      { namespace, name },
      uid === undefined ? {} : { preconditions: { uid } },
    );
  }

  #say(definition: CustomResourceDefinition, status: DefinitionStatus): Promise<KubeObject> {
    const object = { ...definition, status };
    return this.#registry.update(definitionResource.id, keyOf(definition), object, {
      subresource: "status",
      fieldManager: apiServerManager,
    });
  }

  #definition(name: string): CustomResourceDefinition | undefined {
    const found = this.#registry.newest(definitionResource.id, { namespace: "", name });
    return found as CustomResourceDefinition | undefined;
  }

  #definitions(): readonly CustomResourceDefinition[] {
    return this.#registry.newestIn(definitionResource.id) as readonly CustomResourceDefinition[];
  }
}

function keyOf({ metadata }: CustomResourceDefinition): ObjectKey {
  return { namespace: "", name: metadata.name };
}
