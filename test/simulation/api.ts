/** The real registry with Bosun's own definitions: a cluster's, which never ends, or a part of the operator. */
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Kinds } from "../../pkg/api/generated.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { keyString } from "../../pkg/api/meta.ts";
import { StatusError } from "../../pkg/api/status-error.ts";
import { registryClient } from "../../pkg/registry/client.ts";
import { Registry, type RegistryOptions } from "../../pkg/registry/registry.ts";
import type { Client, Kind } from "../../pkg/runtime/client.ts";
import { openLog } from "../../pkg/storage/log/log.ts";
import { MemoryStorage } from "../../pkg/storage/memory.ts";
import type { Change as StoredChange, StoredState } from "../../pkg/storage/storage.ts";
import { EndSignal } from "./kernel/end-signal.ts";
import { type Incarnation, Revoked } from "./kernel/scheduler.ts";
import { AcknowledgedWrites } from "./promises/nothing-acknowledged-is-lost.ts";
import type { MountOptions, SimDisk } from "./world/disk.ts";
import type { SimTexts } from "./world/texts.ts";

const folder = new URL("../../crds/", import.meta.url);
const crds: readonly unknown[] = readdirSync(folder)
  .filter((file) => file.endsWith(".yaml"))
  .sort()
  .map((file) => parse(readFileSync(new URL(file, folder), "utf8")));
const kinds = new Map(
  (crds as { spec: { group: string; names: { plural: string; kind: string } } }[]).map(({ spec }) => [
    `${spec.group}/${spec.names.plural}`,
    spec.names.kind,
  ]),
);
const resources = new Map([...kinds].map(([resource, kind]) => [kind, resource]));

/** One object's change as watchers are told it. */
export interface Change {
  previous: KubeObject | undefined;
  object: KubeObject | undefined;
}

/** One life of the operator, in which its API server lives. */
export interface ServingOptions extends MountOptions {
  life: Incarnation;
}

interface Server {
  client: Client;
  registry: Registry;
  /** Comes when the server is no more; absent where that never happens. */
  ending: EndSignal | undefined;
}

export interface SimApiOptions {
  /** What the operator's own server keeps its log on; absent: a cluster serves, whatever becomes of the operator. */
  disk?: SimDisk;
  /** People's files on it, where people edit texts too. */
  texts?: SimTexts;
  /** How large its files grow, in bytes. */
  segmentBytes?: number;
}

export class SimApi implements Client {
  readonly #options: SimApiOptions;
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #listeners: ((change: Change) => void)[] = [];
  readonly #book = new AcknowledgedWrites((changes) => this.#tell(changes));
  #server: Server | undefined;
  #serves = Promise.withResolvers<void>();

  constructor(options: SimApiOptions = {}) {
    this.#options = options;
  }

  /** Serves from a storage that never fails: a cluster. */
  async startCluster({ clock, ids, random, defer }: Incarnation): Promise<void> {
    const options = { storage: new MemoryStorage(), clock, ids, random, defer };
    const registry = await this.#open(options, (changes) => this.#tell(changes));
    const client = registryClient(registry, "bosun");
    this.#serve({ client, registry, ending: undefined });
  }

  /** A life of the operator begins: its server opens what the last one left. Nothing for a cluster. */
  async start({ life, ...mount }: ServingOptions): Promise<void> {
    const { disk, texts, segmentBytes = 64 * 1024 } = this.#options;
    if (disk === undefined) return;
    const { clock, ids, random, defer } = life;
    const fs = disk.mount({ life, ...mount });
    const storage = this.#book.watch(
      openLog({ directory: "/log", fs, segmentBytes, readPayload: this.#book.readBack.payload }),
    );
    let stored: StoredState = { revision: 0, objects: [], files: [] };
    const open = async (): Promise<StoredState> => {
      stored = await storage.open();
      return stored;
    };
    const options = { storage: { ...storage, open }, clock, ids, random, defer, onFatal: mount.die };
    const registry = await this.#open(options, (changes) => this.#book.told(changes));
    await texts?.open({ registry, stored, fs, life });
    const client = registryClient(registry, "bosun");
    if (life.revoked) return;
    this.#serve({ client, registry, ending: new EndSignal() });
  }

  /** The operator is no more, and its server with it. */
  end(): void {
    // One that never came to serve has told nobody; who waits for a server goes on waiting.
    if (this.#options.disk === undefined || this.#server === undefined) return;
    this.#server.ending?.come();
    this.#server = undefined;
    this.#serves = Promise.withResolvers();
  }

  // What people and controllers ask. Who asks while nothing serves asks again until something does.

  readonly get: Client["get"] = (kind, key) => this.#call((client) => client.get(kind, key));
  readonly list: Client["list"] = (kind, options) => this.#call((client) => client.list(kind, options));
  readonly create: Client["create"] = (kind, object) => this.#call((client) => client.create(kind, object));
  readonly update: Client["update"] = (kind, object) => this.#call((client) => client.update(kind, object));
  readonly updateStatus: Client["updateStatus"] = (kind, object) =>
    this.#call((client) => client.updateStatus(kind, object));
  readonly patch: Client["patch"] = (kind, key, patch, options) =>
    this.#call((client) => client.patch(kind, key, patch, options));
  readonly delete: Client["delete"] = (kind, key, options) =>
    this.#call((client) => client.delete(kind, key, options));
  readonly watch: Client["watch"] = (kind, options) => {
    if (this.#server === undefined) throw unavailable();
    return this.#server.client.watch(kind, options);
  };

  // What watchers have been told by now: for checks between steps

  objects<K extends Kind>(kind: K): readonly Kinds[K][] {
    return [...this.#ofKind(kind).values()] as readonly KubeObject[] as readonly Kinds[K][];
  }

  object<K extends Kind>(kind: K, name: string): Kinds[K] | undefined {
    const found = this.#ofKind(kind).get(keyString({ namespace: "default", name }));
    return found as KubeObject | undefined as Kinds[K] | undefined;
  }

  /** What a read could show this moment, whoever has been told; what was told last while nothing serves. */
  newest<K extends Kind>(kind: K, name: string): Kinds[K] | undefined {
    if (this.#server === undefined) return this.object(kind, name);
    const found = this.#server.registry.newest(resources.get(kind) ?? "", { namespace: "default", name });
    return found as KubeObject | undefined as Kinds[K] | undefined;
  }

  onChange(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  async #open(
    options: Omit<RegistryOptions, "crds">,
    told: (changes: readonly StoredChange[]) => void,
  ): Promise<Registry> {
    const registry = await Registry.open({ ...options, crds });
    registry.subscribe(told);
    return registry;
  }

  #serve(server: Server): void {
    this.#server = server;
    this.#serves.resolve();
  }

  async #call<T>(ask: (client: Client) => Promise<T>): Promise<T> {
    while (this.#server === undefined) await this.#serves.promise;
    const { client, ending } = this.#server;
    if (ending === undefined) return ask(client);
    try {
      return await ending.or(ask(client), () => {
        throw unavailable();
      });
    } catch (error) {
      throw error instanceof Revoked ? unavailable() : error;
    }
  }

  #tell(changes: readonly StoredChange[]): void {
    for (const { resource, object, ...key } of changes) {
      const kind = kinds.get(resource);
      if (kind === undefined) continue;
      const known = this.#ofKind(kind);
      const id = keyString(key);
      const previous = known.get(id);
      if (object === undefined) known.delete(id);
      else known.set(id, object);
      for (const listener of this.#listeners) listener({ previous, object });
    }
  }

  #ofKind(kind: string): Map<string, KubeObject> {
    const known = this.#objects.get(kind) ?? new Map<string, KubeObject>();
    this.#objects.set(kind, known);
    return known;
  }
}

function unavailable(): StatusError {
  return new StatusError(503, "ServiceUnavailable", "The operator does not run");
}
