import type { KubeObject, ObjectKey, OwnerReference } from "../api/meta.ts";
import { StatusError } from "../api/status-error.ts";
import type { DeleteOptions } from "../runtime/client.ts";
import { foregroundFinalizer, orphanFinalizer } from "./metadata.ts";
import type { Resource } from "./resource.ts";
import { controllersManager } from "./server-managers.ts";
import type { StagedChange } from "./staging.ts";

/** What the collector needs of the registry. A write is admitted in the turn in which it is asked for. */
export interface Collectable {
  resourceById(id: string): Resource | undefined;
  /** The resource that serves a kind, whatever the version. */
  resourceByKind(group: string, kind: string): Resource | undefined;
  newest(resource: string, key: ObjectKey): KubeObject | undefined;
  patch(
    resource: string,
    key: ObjectKey,
    patch: { type: "merge"; body: unknown },
    options: { fieldManager: string },
  ): Promise<KubeObject>;
  delete(resource: string, key: ObjectKey, options: DeleteOptions): Promise<unknown>;
}

export interface CollectorOptions {
  readonly defer: (turn: () => void) => void;
  /** Told of an object that names an owner in another namespace, where an owner cannot be. */
  readonly onForeignOwner: (dependent: KubeObject, owner: OwnerReference) => void;
}

/** Where an object is. */
interface Place {
  readonly resource: string;
  readonly key: ObjectKey;
}

/** The owners of an object, by what they mean for it. */
interface Owners {
  readonly solid: readonly OwnerReference[];
  /** Are being deleted in the foreground, and wait for this object to go first. */
  readonly waiting: readonly OwnerReference[];
  readonly gone: readonly OwnerReference[];
}

/**
 * Deletes objects whose owners are all gone, in the background; takes gone owners off those that have others; deletes
 * the dependents of an owner that is deleted in the foreground and then lets it go; has the dependents of an owner
 * that is deleted as an orphanage forget it.
 *
 * An owner of a kind that is not served is unknown, not gone: its dependents stay. So does an object of the whole
 * cluster that names an owner in a namespace, which is wrong and cannot be decided.
 *
 * @see Kubernetes' pkg/controller/garbagecollector for the rules
 */
export class GarbageCollector {
  readonly #registry: Collectable;
  readonly #options: CollectorOptions;
  /** Every object, by uid. */
  readonly #places = new Map<string, Place>();
  /** Dependents by the uid of an owner. */
  readonly #dependents = new Map<string, Map<string, Place>>();
  readonly #suspects = new Map<string, Place>();

  constructor(registry: Collectable, options: CollectorOptions) {
    this.#registry = registry;
    this.#options = options;
  }

  /** Takes synced changes; what they ask for is done in a later turn. */
  observe(
    changes: readonly Pick<StagedChange, "resource" | "namespace" | "name" | "object" | "previous">[],
  ): void {
    for (const change of changes) this.#index(change);
    for (const { resource, namespace, name, object, previous } of changes) {
      const place = { resource, key: { namespace, name } };
      const [before, now] = [previous?.metadata.ownerReferences, object?.metadata.ownerReferences];
      if (object === undefined) this.#suspectDependents(previous);
      if (object !== undefined && now !== undefined && now !== before) {
        this.#suspect(place);
        this.#reportForeign(object, before);
      }
      if (object !== undefined && waits(object)) {
        this.#suspect(place);
        if (previous === undefined || !waits(previous)) this.#suspectDependents(object);
      }
      // An owner may have waited for this one.
      for (const { uid } of now === before ? [] : (before ?? [])) this.#suspectOwner(uid);
    }
  }

  #index({
    resource,
    namespace,
    name,
    object,
    previous,
  }: Pick<StagedChange, "resource" | "namespace" | "name" | "object" | "previous">): void {
    const place = { resource, key: { namespace, name } };
    const [old, now] = [previous?.metadata, object?.metadata];
    if (old?.uid !== undefined && old.uid !== now?.uid) this.#places.delete(old.uid);
    if (now?.uid !== undefined && old?.uid !== now.uid) this.#places.set(now.uid, place);
    if (old?.ownerReferences === now?.ownerReferences) return;
    const id = idOf(place);
    for (const { uid } of old?.ownerReferences ?? []) {
      const others = this.#dependents.get(uid);
      others?.delete(id);
      if (others?.size === 0) this.#dependents.delete(uid);
    }
    for (const { uid } of now?.ownerReferences ?? []) {
      const others = this.#dependents.get(uid) ?? new Map<string, Place>();
      this.#dependents.set(uid, others.set(id, place));
    }
  }

  #reportForeign(object: KubeObject, before: readonly OwnerReference[] = []): void {
    const { namespace, ownerReferences = [] } = object.metadata;
    if (namespace === undefined) return;
    for (const owner of ownerReferences) {
      const place = this.#places.get(owner.uid);
      const foreign = place !== undefined && place.key.namespace !== "" && place.key.namespace !== namespace;
      if (foreign && !before.some(({ uid }) => uid === owner.uid))
        this.#options.onForeignOwner(object, owner);
    }
  }

  #suspectDependents(owner: KubeObject | undefined): void {
    for (const place of this.#dependentsOf(owner)) this.#suspect(place);
  }

  #suspectOwner(uid: string): void {
    const place = this.#places.get(uid);
    if (place !== undefined) this.#suspect(place);
  }

  #suspect(place: Place): void {
    if (this.#suspects.size === 0) this.#options.defer(() => this.#collect());
    this.#suspects.set(idOf(place), place);
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

  async #examine(place: Place): Promise<void> {
    const object = this.#registry.newest(place.resource, place.key);
    if (object === undefined) return;
    const { deletionTimestamp, finalizers = [], ownerReferences = [] } = object.metadata;
    if (deletionTimestamp !== undefined) {
      if (finalizers.includes(orphanFinalizer)) await this.#orphanDependents(place, object);
      else if (finalizers.includes(foregroundFinalizer)) await this.#letGoWithoutDependents(place, object);
      return;
    }
    if (ownerReferences.length === 0) return;
    const owners = this.#classify(ownerReferences, place.key.namespace);
    if (owners === undefined) return;
    const { solid, waiting, gone } = owners;
    if (solid.length > 0) {
      // What waits for this object need not: it has another owner and stays.
      if (waiting.length + gone.length > 0) await this.#setOwners(place, object, solid);
    } else if (waiting.length > 0 && this.#dependentsOf(object).length > 0) {
      if (this.#isInCircle(object)) await this.#unblock(place, object);
      await this.#delete(place, object, "Foreground");
    } else {
      const foreground = finalizers.includes(foregroundFinalizer) ? "Foreground" : "Background";
      await this.#delete(place, object, finalizers.includes(orphanFinalizer) ? "Orphan" : foreground);
    }
  }

  /** Undefined when it cannot be told. */
  #classify(references: readonly OwnerReference[], namespace: string): Owners | undefined {
    const owners = { solid: [], waiting: [], gone: [] } as { [K in keyof Owners]: OwnerReference[] };
    for (const reference of references) {
      const slash = reference.apiVersion.indexOf("/");
      const group = slash < 0 ? "" : reference.apiVersion.slice(0, slash);
      const resource = this.#registry.resourceByKind(group, reference.kind);
      if (resource === undefined) {
        owners.solid.push(reference);
        continue;
      }
      if (resource.namespaced && namespace === "") return undefined;
      const key = { namespace: resource.namespaced ? namespace : "", name: reference.name };
      const owner = this.#registry.newest(resource.id, key);
      if (owner?.metadata.uid !== reference.uid) owners.gone.push(reference);
      else if (waitsForDependents(owner)) owners.waiting.push(reference);
      else owners.solid.push(reference);
    }
    return owners;
  }

  async #orphanDependents(place: Place, owner: KubeObject): Promise<void> {
    const { uid } = owner.metadata;
    const forgotten = this.#dependentsOf(owner).map((dependent) => {
      const object = this.#registry.newest(dependent.resource, dependent.key);
      const owners = object?.metadata.ownerReferences ?? [];
      const others = owners.filter((reference) => reference.uid !== uid);
      if (object === undefined || others.length === owners.length) return undefined;
      return this.#setOwners(dependent, object, others);
    });
    await Promise.all([...forgotten, this.#removeFinalizer(place, owner, orphanFinalizer)]);
  }

  /** Lets an owner go when nothing that blocks it is left; what does not block it is deleted before. */
  async #letGoWithoutDependents(place: Place, owner: KubeObject): Promise<void> {
    const { uid } = owner.metadata;
    const others: Place[] = [];
    for (const dependent of this.#dependentsOf(owner)) {
      const metadata = this.#registry.newest(dependent.resource, dependent.key)?.metadata;
      if (metadata?.ownerReferences?.some((each) => each.uid === uid && each.blockOwnerDeletion)) return;
      if (metadata?.deletionTimestamp === undefined) others.push(dependent);
    }
    // While their owner still shows that it takes them along: another finalizer may keep it for long.
    const examined = others.map((other) => this.#examine(other));
    await Promise.all([...examined, this.#removeFinalizer(place, owner, foregroundFinalizer)]);
  }

  /** Whether a dependent of an object that is about to wait for its dependents waits itself. */
  #isInCircle(object: KubeObject): boolean {
    return this.#dependentsOf(object).some(({ resource, key }) => {
      const dependent = this.#registry.newest(resource, key);
      return dependent !== undefined && waitsForDependents(dependent);
    });
  }

  async #unblock(place: Place, object: KubeObject): Promise<void> {
    const references = object.metadata.ownerReferences ?? [];
    await this.#setOwners(
      place,
      object,
      references.map((reference) => ({ ...reference, blockOwnerDeletion: false })),
    );
  }

  async #setOwners(place: Place, object: KubeObject, owners: readonly OwnerReference[]): Promise<void> {
    await this.#patch(place, object, { ownerReferences: owners });
  }

  async #removeFinalizer(place: Place, object: KubeObject, finalizer: string): Promise<void> {
    const finalizers = (object.metadata.finalizers ?? []).filter((other) => other !== finalizer);
    await this.#patch(place, object, { finalizers });
  }

  async #patch({ resource, key }: Place, { metadata }: KubeObject, change: object): Promise<void> {
    const body = { metadata: { resourceVersion: metadata.resourceVersion, ...change } };
    await this.#registry.patch(resource, key, { type: "merge", body }, { fieldManager: controllersManager });
  }

  async #delete(
    { resource, key }: Place,
    { metadata: { uid } }: KubeObject,
    propagationPolicy: NonNullable<DeleteOptions["propagationPolicy"]>,
  ): Promise<void> {
    const preconditions = uid === undefined ? {} : { uid };
    await this.#registry.delete(resource, key, { preconditions, propagationPolicy });
  }

  #dependentsOf(owner: KubeObject | undefined): readonly Place[] {
    return [...(this.#dependents.get(owner?.metadata.uid ?? "")?.values() ?? [])];
  }
}

/** Whether an object is being deleted and kept for what the collector has to do first. */
function waits({ metadata: { deletionTimestamp, finalizers = [] } }: KubeObject): boolean {
  const ours = finalizers.includes(foregroundFinalizer) || finalizers.includes(orphanFinalizer);
  return deletionTimestamp !== undefined && ours;
}

function waitsForDependents({ metadata: { deletionTimestamp, finalizers = [] } }: KubeObject): boolean {
  return deletionTimestamp !== undefined && finalizers.includes(foregroundFinalizer);
}

function idOf({ resource, key }: Place): string {
  return `${resource}/${key.namespace}/${key.name}`;
}
