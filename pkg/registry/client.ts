import type { Kinds } from "../api/generated.ts";
import type { KubeObject, ObjectKey } from "../api/meta.ts";
import { keyOf } from "../api/meta.ts";
import { isNotFound } from "../api/status-error.ts";
import type { Client, Kind, WatchEvent } from "../runtime/client.ts";
import type { Registry } from "./registry.ts";

/**
 * A Client that calls the registry in its own process.
 *
 * @param fieldManager - the client's name, as owner of the fields that it writes
 * @param scope.namespace - the one that lists and watches see which name none; absent: all
 */
export function registryClient(
  registry: Registry,
  fieldManager: string,
  { namespace }: { namespace?: string } = {},
): Client {
  const scope = namespace === undefined ? {} : { namespace };
  const resources = new Map<string, string>();
  const of = (kind: string): string => {
    let id = resources.get(kind);
    if (id === undefined) {
      id = registry.resourceFor({ kind })?.id;
      if (id === undefined) throw new TypeError(`The registry serves no kind ${kind}. Is its CRD loaded?`);
      resources.set(kind, id);
    }
    return id;
  };
  return {
    async get<K extends Kind>(kind: K, key: ObjectKey) {
      try {
        return (await registry.get(of(kind), key)) as Kinds[K];
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async list<K extends Kind>(kind: K, options = {}) {
      const { metadata, items } = await registry.list(of(kind), { ...scope, ...options });
      return { metadata, items: items as readonly KubeObject[] as readonly Kinds[K][] };
    },
    watch<K extends Kind>(kind: K, options: Parameters<Client["watch"]>[1]) {
      return registry.watch(of(kind), { ...scope, ...options }) as AsyncIterable<WatchEvent<Kinds[K]>>;
    },
    async create(kind, object) {
      const { namespace } = keyOf(object as unknown as KubeObject);
      return (await registry.create(of(kind), namespace, object, { fieldManager })) as Kinds[typeof kind];
    },
    async update(kind, object) {
      return (await registry.update(of(kind), keyOf(object as unknown as KubeObject), object, {
        fieldManager,
      })) as Kinds[typeof kind];
    },
    async updateStatus(kind, object) {
      const key = keyOf(object as unknown as KubeObject);
      return (await registry.update(of(kind), key, object, {
        subresource: "status",
        fieldManager,
      })) as Kinds[typeof kind];
    },
    async patch(kind, key, body, options = {}) {
      return (await registry.patch(
        of(kind),
        key,
        { type: "merge", body },
        { ...options, fieldManager },
      )) as Kinds[typeof kind];
    },
    async delete(kind, key, options) {
      await registry.delete(of(kind), key, options);
    },
  };
}
