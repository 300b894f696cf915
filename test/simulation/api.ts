/** The real registry with Bosun's own definitions, on memory storage. */
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Kinds } from "../../pkg/api/generated.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { keyString } from "../../pkg/api/meta.ts";
import { registryClient } from "../../pkg/registry/client.ts";
import { Registry } from "../../pkg/registry/registry.ts";
import type { Client, Kind } from "../../pkg/runtime/client.ts";
import { MemoryStorage } from "../../pkg/storage/memory.ts";
import type { Incarnation } from "./kernel/scheduler.ts";

const folder = new URL("../../crds/", import.meta.url);
const crds: readonly unknown[] = readdirSync(folder)
  .filter((file) => file.endsWith(".yaml"))
  .sort()
  .map((file) => parse(readFileSync(new URL(file, folder), "utf8")));

/** One object's change as watchers are told it. */
export interface Change {
  previous: KubeObject | undefined;
  object: KubeObject | undefined;
}

export interface SimApi extends Client {
  /** What watchers have been told by now: for checks between steps. */
  objects<K extends Kind>(kind: K): readonly Kinds[K][];
  object<K extends Kind>(kind: K, name: string): Kinds[K] | undefined;
  onChange(listener: (change: Change) => void): void;
}

/** @param world - its `defer` makes what watchers hear a step of its own */
export async function simApi({ clock, ids, random, defer }: Incarnation): Promise<SimApi> {
  const registry = await Registry.open({ storage: new MemoryStorage(), crds, clock, ids, random, defer });
  const objects = new Map<string, Map<string, KubeObject>>();
  const listeners: ((change: Change) => void)[] = [];
  const ofKind = (kind: string): Map<string, KubeObject> => {
    const known = objects.get(kind) ?? new Map<string, KubeObject>();
    objects.set(kind, known);
    return known;
  };
  registry.subscribe((changes) => {
    for (const { resource, object, ...key } of changes) {
      const kind = registry.resourceById(resource)?.kind ?? resource;
      if (kind === "Event") continue;
      const known = ofKind(kind);
      const id = keyString(key);
      const previous = known.get(id);
      if (object === undefined) known.delete(id);
      else known.set(id, object);
      for (const listener of listeners) listener({ previous, object });
    }
  });
  return {
    ...registryClient(registry, "bosun"),
    objects: <K extends Kind>(kind: K) =>
      [...ofKind(kind).values()] as readonly KubeObject[] as readonly Kinds[K][],
    object: <K extends Kind>(kind: K, name: string) =>
      ofKind(kind).get(keyString({ namespace: "default", name })) as KubeObject | undefined as
        | Kinds[K]
        | undefined,
    onChange: (listener) => listeners.push(listener),
  };
}
