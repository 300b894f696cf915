/**
 * The real registry on memory storage with toy kinds: a Project and a Review that take any spec and status. For tests
 * of what stands between the registry and the controllers.
 */
import type { KubeObject } from "../../../pkg/api/meta.ts";
import { keyString } from "../../../pkg/api/meta.ts";
import { registryClient } from "../../../pkg/registry/client.ts";
import { Registry } from "../../../pkg/registry/registry.ts";
import type { Client, Kind } from "../../../pkg/runtime/client.ts";
import { MemoryStorage } from "../../../pkg/storage/memory.ts";
import type { Incarnation } from "./scheduler.ts";

export interface ToyApi extends Client {
  /** What watchers have been told by now: for checks between steps. */
  objects(kind: Kind): readonly KubeObject[];
}

/** @param world - its `defer` makes what watchers hear a step of its own */
export async function toyApi({ clock, ids, random, defer }: Incarnation): Promise<ToyApi> {
  const crds = [definition("Project", "projects"), definition("Review", "reviews")];
  const registry = await Registry.open({ storage: new MemoryStorage(), crds, clock, ids, random, defer });
  const objects = new Map<string, KubeObject>();
  registry.subscribe((changes) => {
    for (const { resource, object, ...key } of changes) {
      const id = `${resource} ${keyString(key)}`;
      if (object === undefined) objects.delete(id);
      else objects.set(id, object);
    }
  });
  return {
    ...registryClient(registry, "bosun"),
    objects: (kind) => [...objects.values()].filter((object) => object.kind === kind),
  };
}

function definition(kind: string, plural: string): unknown {
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const schema = { openAPIV3Schema: { type: "object", properties: { spec: anything, status: anything } } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.bosun.dev` },
    spec: {
      group: "bosun.dev",
      scope: "Namespaced",
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: "v1alpha1", served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}
