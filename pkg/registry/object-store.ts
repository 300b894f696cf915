import type { KubeObject, ObjectKey } from "../api/meta.ts";

/** Objects by resource and key. Holds references only: the objects are frozen and shared. */
export class ObjectStore {
  readonly #resources = new Map<string, Map<string, KubeObject>>();

  get(resource: string, key: ObjectKey): KubeObject | undefined {
    return this.#resources.get(resource)?.get(storeKey(key));
  }

  set(resource: string, key: ObjectKey, object: KubeObject | undefined): void {
    let objects = this.#resources.get(resource);
    if (objects === undefined) {
      objects = new Map();
      this.#resources.set(resource, objects);
    }
    if (object === undefined) objects.delete(storeKey(key));
    else objects.set(storeKey(key), object);
  }

  /** Every object of a resource, of one namespace or of all, ordered by namespace and name. */
  list(resource: string, namespace?: string): KubeObject[] {
    const objects = this.#resources.get(resource);
    if (objects === undefined) return [];
    const keys = [...objects.keys()];
    const wanted = namespace === undefined ? keys : keys.filter((key) => key.startsWith(`${namespace}/`));
    return wanted.sort().map((key) => objects.get(key) as KubeObject);
  }

  count(resource: string): number {
    return this.#resources.get(resource)?.size ?? 0;
  }

  /** Every object of every resource. */
  *all(): Iterable<{ resource: string; object: KubeObject }> {
    for (const [resource, objects] of this.#resources) {
      for (const object of objects.values()) yield { resource, object };
    }
  }
}

function storeKey(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`;
}
