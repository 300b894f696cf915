import type { KubeObject, ObjectKey } from "../api/meta.ts";

/** The objects of one resource, and their keys in order once somebody asked for them. */
interface Objects {
  readonly byKey: Map<string, KubeObject>;
  /** Sorted but for `added` and what was deleted since. */
  sorted: string[];
  added: string[];
  deleted: boolean;
}

/** Objects by resource and key. Holds references only: the objects are frozen and shared. */
export class ObjectStore {
  readonly #resources = new Map<string, Objects>();

  get(resource: string, key: ObjectKey): KubeObject | undefined {
    return this.#resources.get(resource)?.byKey.get(storeKey(key));
  }

  /** The object under a key of `keys`. */
  at(resource: string, key: string): KubeObject | undefined {
    return this.#resources.get(resource)?.byKey.get(key);
  }

  set(resource: string, key: ObjectKey, object: KubeObject | undefined): void {
    let objects = this.#resources.get(resource);
    if (objects === undefined) {
      objects = { byKey: new Map(), sorted: [], added: [], deleted: false };
      this.#resources.set(resource, objects);
    }
    const id = storeKey(key);
    if (object === undefined) {
      if (objects.byKey.delete(id)) objects.deleted = true;
      return;
    }
    // A key that comes back may still be among the sorted ones: they are freed of it when next asked for.
    if (!objects.byKey.has(id)) objects.added.push(id);
    objects.byKey.set(id, object);
  }

  /** Every key of a resource (`storeKey`), in the order in which etcd lists. Not to be changed. */
  keys(resource: string): readonly string[] {
    const objects = this.#resources.get(resource);
    if (objects === undefined) return [];
    if (objects.added.length > 0 || objects.deleted) {
      const added = new Set(objects.added);
      const kept = objects.sorted.filter((key) => objects.byKey.has(key) && !added.has(key));
      const fresh = [...added].filter((key) => objects.byKey.has(key));
      // Two sorted runs: the sort merges them in linear time.
      objects.sorted = [...kept, ...fresh.sort()].sort();
      objects.added = [];
      objects.deleted = false;
    }
    return objects.sorted;
  }

  /** Every object of a resource, of one namespace or of all, ordered by namespace and name. */
  list(resource: string, namespace?: string): KubeObject[] {
    const byKey = this.#resources.get(resource)?.byKey;
    if (byKey === undefined) return [];
    const keys = this.keys(resource);
    const [from, to] = namespace === undefined ? [0, keys.length] : rangeOf(keys, namespace);
    return keys.slice(from, to).map((key) => byKey.get(key) as KubeObject);
  }

  count(resource: string): number {
    return this.#resources.get(resource)?.byKey.size ?? 0;
  }

  /** Every object of every resource. */
  *all(): Iterable<{ resource: string; object: KubeObject }> {
    for (const [resource, { byKey }] of this.#resources) {
      for (const object of byKey.values()) yield { resource, object };
    }
  }
}

/** `namespace/name`: how a resource's objects are ordered. */
export function storeKey(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`;
}

/** Where the keys of a namespace begin and end among sorted keys. */
export function rangeOf(keys: readonly string[], namespace: string): [from: number, to: number] {
  // "0" is what comes after "/".
  return [indexOfKey(keys, `${namespace}/`), indexOfKey(keys, `${namespace}0`)];
}

/** How many of the sorted keys are before `key`. */
export function indexOfKey(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
