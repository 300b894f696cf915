/** The Client that cluster mode has: Kubernetes' API over HTTP. */
import { KINDS, type Kinds } from "../api/generated.ts";
import { type KubeObject, keyOf } from "../api/meta.ts";
import { collectionPath, objectPath, type Served } from "../api/paths.ts";
import { isNotFound } from "../api/status-error.ts";
import { deepFreeze } from "../registry/json.ts";
import type { Client, Kind, List, ListOptions, WatchEvent, WatchOptions } from "../runtime/client.ts";
import { type Call, exchange, readJson } from "./exchange.ts";
import { ListReader } from "./lists.ts";
import { openStream, type StreamDeps, type StreamEvent } from "./stream.ts";

export interface ClusterClientOptions extends StreamDeps {
  /** Lists and watches that name no namespace see this one, so that rights in it alone suffice; absent: all. */
  namespace?: string;
  /** How kinds are named in paths; Bosun's own when absent. */
  kinds?: Readonly<Record<string, Served>>;
  /** Owner of the fields that this client writes. */
  fieldManager: string;
}

/** How long the server keeps a watch, in seconds: between these two, so that many do not come back together. */
const watchSeconds = { from: 300, to: 600 };

/** A Client of the API server at `options.access`. What fails may be any error of `exchange`. */
export function clusterClient(options: ClusterClientOptions): Client {
  const { access, random, namespace: own, fieldManager } = options;
  const kinds: Readonly<Record<string, Served>> = options.kinds ?? KINDS;
  const lists = new ListReader(options);
  const owner = { fieldManager };

  const served = (kind: string): Served => {
    const found = kinds[kind];
    if (found === undefined) throw new TypeError(`There is no kind ${kind}.`);
    return found;
  };
  const scoped = ({ namespace = own, labelSelector }: ListOptions) => ({
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  });
  const ask = async <T>(call: Call): Promise<T> =>
    deepFreeze((await readJson(await exchange(options, call), call, access)) as T);
  const named = (kind: string, object: unknown, subresource?: string): string =>
    `${objectPath(served(kind), keyOf(object as KubeObject), subresource)}?${new URLSearchParams(owner)}`;

  return {
    async get<K extends Kind>(kind: K, key: Parameters<Client["get"]>[1]) {
      try {
        return await ask<Kinds[K]>({ method: "GET", path: objectPath(served(kind), key) });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async list<K extends Kind>(kind: K, given: ListOptions = {}) {
      return (await lists.read(served(kind), scoped(given))) as unknown as List<Kinds[K]>;
    },
    async *watch<K extends Kind>(kind: K, { resourceVersion, signal, ...given }: WatchOptions) {
      const query = scoped(given);
      const begun = lists.goOn(served(kind), query, resourceVersion, signal);
      const seconds = watchSeconds.from + Math.floor(random.next() * (watchSeconds.to - watchSeconds.from));
      const stream =
        begun ??
        openStream(options, {
          method: "GET",
          path: collectionPath(served(kind), query.namespace, {
            watch: "true",
            allowWatchBookmarks: "true",
            resourceVersion,
            labelSelector: query.labelSelector,
            timeoutSeconds: String(seconds),
          }),
          ...(signal === undefined ? {} : { signal }),
        });
      for await (const event of stream) yield watchEvent<Kinds[K]>(event);
    },
    create(kind, object) {
      const { namespace } = keyOf(object as unknown as KubeObject);
      return ask({ method: "POST", path: collectionPath(served(kind), namespace, owner), body: object });
    },
    update: (kind, object) => ask({ method: "PUT", path: named(kind, object), body: object }),
    updateStatus: (kind, object) =>
      ask({ method: "PUT", path: named(kind, object, "status"), body: withStatusAlone(object) }),
    patch(kind, key, patch, { subresource } = {}) {
      const path = `${objectPath(served(kind), key, subresource)}?${new URLSearchParams(owner)}`;
      return ask({ method: "PATCH", path, body: patch, contentType: "application/merge-patch+json" });
    },
    async delete(kind, key, given) {
      const body = { kind: "DeleteOptions", apiVersion: "v1", ...given };
      await ask({ method: "DELETE", path: objectPath(served(kind), key), body });
    },
  };
}

/** What a server reads of an object whose status is written. The rest, most of it, it has and would leave as it is. */
function withStatusAlone(object: unknown): unknown {
  const { apiVersion, kind, metadata, status } = object as KubeObject;
  const { name, namespace, uid, resourceVersion } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion }, status };
}

function watchEvent<T>({ type, object }: StreamEvent): WatchEvent<T> {
  if (type !== "BOOKMARK") return { type, object: object as unknown as T };
  return { type, resourceVersion: object.metadata.resourceVersion ?? "0" };
}
