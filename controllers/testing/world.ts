/** A world for one controller: the real registry with some objects in it, and of all else what a test puts there. */
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Kinds } from "../../pkg/api/generated.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { registryClient } from "../../pkg/registry/client.ts";
import { Registry } from "../../pkg/registry/registry.ts";
import type { Client, Kind } from "../../pkg/runtime/client.ts";
import type { Controller } from "../../pkg/runtime/controller.ts";
import { silentLogger } from "../../pkg/runtime/logger.ts";
import { Manager } from "../../pkg/runtime/manager.ts";
import { TestClock } from "../../pkg/runtime/testing/clock.ts";
import { MemoryStorage } from "../../pkg/storage/memory.ts";
import type { Deps } from "../deps.ts";
import { NOW } from "./objects.ts";

/** What a test says of the world; the rest of it is not there. */
export type Parts = { [Part in Exclude<keyof Deps, "client" | "clock">]?: Partial<Deps[Part]> };

export interface TestWorld {
  deps: Deps;
  /** It is `NOW`. */
  clock: TestClock;
  /** What people were told, as `Warning Merged`. */
  said: readonly string[];
  /** The object as it is now. */
  the<K extends Kind>(kind: K, name: string): Promise<Kinds[K]>;
  /** The names that a controller looks at because of `change`, within `waitMs` milliseconds, sorted. */
  wokenBy(
    controller: (deps: Deps) => Controller,
    change: (client: Client) => Promise<unknown>,
    waitMs?: number,
  ): Promise<readonly string[]>;
}

const folder = new URL("../../crds/", import.meta.url);
const crds = readdirSync(folder)
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => parse(readFileSync(new URL(file, folder), "utf8")) as Definition);

interface Definition {
  spec: { group: string; names: { plural: string; kind: string } };
}

export async function openWorld(objects: readonly KubeObject[], parts: Parts = {}): Promise<TestWorld> {
  const clock = new TestClock(new Date(NOW).toISOString());
  const ids = { uuid: () => "00000000-0000-4000-8000-000000000001" };
  const random = { next: () => 0.5 };
  const storage = await holding(objects);
  const defer = (turn: () => void): unknown => setImmediate(turn);
  const registry = await Registry.open({ storage, crds, clock, ids, random, defer });
  const client = registryClient(registry, "bosun");
  const said: string[] = [];
  const deps = {
    ...{ clock, ids, random, namespace: "default", upstream: "Real", sandbox: "Required" },
    events: { event: (_: KubeObject, type: string, reason: string) => void said.push(`${type} ${reason}`) },
    failpoints: { hit: () => undefined },
    ...parts,
    client: { ...client, fresh: client },
  } as unknown as Deps;
  return {
    ...{ deps, clock, said },
    async the(kind, name) {
      const found = await client.get(kind, { namespace: "default", name });
      if (found === undefined) throw new Error(`There is no ${kind} ${name}`);
      return found;
    },
    async wokenBy(controller, change, waitMs = 0) {
      const woken = new Set<string>();
      const looks = (real: Controller): Controller => ({
        ...real,
        reconcile: async ({ name }) => {
          woken.add(name);
          return { after: "change" };
        },
      });
      const controllers = (cached: Deps["client"]) => [looks(controller({ ...deps, client: cached }))];
      const manager = new Manager({ client, clock, random, logger: silentLogger, controllers });
      await manager.start();
      await settle();
      await clock.advance(waitMs);
      await settle();
      woken.clear();
      await change(client);
      await settle();
      await clock.advance(waitMs);
      await settle();
      await manager.stop();
      return [...woken].sort();
    },
  };
}

async function holding(objects: readonly KubeObject[]): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  await storage.open();
  const changes = objects.map((object, at) => {
    const { namespace = "default", name } = object.metadata;
    const resourceVersion = String(at + 1);
    const metadata = { ...object.metadata, resourceVersion, creationTimestamp: "2026-01-05T00:00:00Z" };
    return {
      ...{ revision: at + 1, resource: resourceOf(object.kind), namespace, name },
      object: { ...object, metadata },
    };
  });
  await storage.commit({ changes });
  await storage.close();
  return storage;
}

function resourceOf(kind: string): string {
  const found = crds.find(({ spec }) => spec.names.kind === kind);
  if (found === undefined) throw new Error(`There is no kind ${kind}`);
  return `${found.spec.group}/${found.spec.names.plural}`;
}

/** Lets all turns run that follow from each other: a watch tells of a change in a later one. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
