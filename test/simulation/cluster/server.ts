/** Kubernetes' API as it goes over the wire, as much of it as an operator asks: requests in, codes and JSON out. */
import { KINDS } from "../../../pkg/api/generated.ts";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import { StatusError } from "../../../pkg/api/status-error.ts";
import { SimLeases } from "../../../pkg/cluster/testing/leases.ts";
import type { Client, Kind, ListOptions, MergePatch, WatchEvent } from "../../../pkg/runtime/client.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";

export interface Asked {
  method: string;
  /** With its query; of what server makes no difference. */
  url: URL;
  body?: unknown;
  /** Ends a watch. */
  ending: AbortSignal;
}

/** One event of a watch as it goes over the wire. */
export interface Told {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: unknown;
}

/** A watch's events come in chunks: what is written into the connection at once. */
export type Served = { code: number; body: unknown } | { events: AsyncIterable<readonly Told[]> };

const kinds = new Map(Object.entries(KINDS).map(([kind, { plural }]) => [plural, kind as Kind]));
/** A page has no more objects than this, whatever is asked for. */
const pageMax = 20;

export interface SimServerOptions {
  api: Client;
  /** Whether it streams lists (WatchList), as servers do since Kubernetes 1.34. */
  streamsLists: boolean;
  clock: Pick<Clock, "elapsed">;
}

export class SimServer {
  readonly leases: SimLeases;
  readonly #options: SimServerOptions;
  /** Lists that are read page by page, by their first page's revision. */
  readonly #pages = new Map<string, readonly KubeObject[]>();

  constructor(options: SimServerOptions) {
    this.#options = options;
    this.leases = new SimLeases(options.clock);
  }

  async answer(asked: Asked): Promise<Served> {
    try {
      return await this.#answer(asked);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return { code: error.code, body: error.toStatus() };
    }
  }

  async #answer({ method, url, body, ending }: Asked): Promise<Served> {
    const { api, streamsLists } = this.#options;
    const { namespace, plural, name, subresource } = targetOf(url.pathname);
    if (plural === "leases") return this.leases.answer(method, name ?? "bosun", body);
    const kind = kinds.get(plural);
    if (kind === undefined) throw new StatusError(404, "NotFound", `There is no resource ${plural}`);
    const within: ListOptions = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(url.searchParams.has("labelSelector")
        ? { labelSelector: url.searchParams.get("labelSelector") ?? "" }
        : {}),
    };
    if (name === undefined) {
      if (method === "POST") return { code: 201, body: await api.create(kind, body as never) };
      if (url.searchParams.has("sendInitialEvents") && !streamsLists)
        throw new StatusError(422, "Invalid", "sendInitialEvents: Forbidden: WatchList is disabled");
      if (url.searchParams.get("watch") === "true")
        return { events: this.#watch(kind, { within, query: url.searchParams, ending }) };
      return { code: 200, body: await this.#page(kind, within, url.searchParams) };
    }
    const key = { namespace: namespace ?? "default", name };
    switch (method) {
      case "PUT":
        return {
          code: 200,
          body: await (subresource === "status"
            ? api.updateStatus(kind, body as never)
            : api.update(kind, body as never)),
        };
      case "PATCH": {
        const options = subresource === undefined ? {} : { subresource: subresource as "status" };
        return { code: 200, body: await api.patch(kind, key, body as MergePatch, options) };
      }
      case "DELETE":
        await api.delete(kind, key, body as object);
        return { code: 200, body: { kind: "Status", status: "Success" } };
      default: {
        const object = await api.get(kind, key);
        if (object === undefined) throw new StatusError(404, "NotFound", `${plural} "${name}" not found`);
        return { code: 200, body: object };
      }
    }
  }

  async #page(kind: Kind, within: ListOptions, query: URLSearchParams): Promise<unknown> {
    const { api } = this.#options;
    const limit = Math.min(Number(query.get("limit") ?? Number.POSITIVE_INFINITY), pageMax);
    const [revision, start] = (query.get("continue") ?? "").split(" ");
    const known = this.#pages.get(`${kind} ${revision}`);
    if (start !== undefined && known === undefined)
      throw new StatusError(410, "Expired", "The provided continue parameter is too old");
    const list = known === undefined ? await api.list(kind, within) : undefined;
    const resourceVersion = list?.metadata.resourceVersion ?? revision;
    const all = known ?? list?.items ?? [];
    const begin = Number(start ?? 0);
    const end = query.has("limit") ? begin + limit : all.length;
    const goesOn = end < all.length ? { continue: `${resourceVersion} ${end}` } : {};
    if ("continue" in goesOn) this.#pages.set(`${kind} ${resourceVersion}`, all);
    const apiVersion = KINDS[kind].apiVersion;
    return {
      ...{ kind: `${kind}List`, apiVersion },
      metadata: { resourceVersion, ...goesOn },
      items: all.slice(begin, end),
    };
  }

  async *#watch(
    kind: Kind,
    { within, query, ending }: { within: ListOptions; query: URLSearchParams; ending: AbortSignal },
  ): AsyncGenerator<readonly Told[]> {
    const { api } = this.#options;
    const { apiVersion } = KINDS[kind];
    let resourceVersion = query.get("resourceVersion") ?? "";
    if (query.get("sendInitialEvents") === "true") {
      const { items, metadata } = await api.list(kind, within);
      resourceVersion = metadata.resourceVersion;
      const annotations = { "k8s.io/initial-events-end": "true" };
      const end = { kind, apiVersion, metadata: { resourceVersion, annotations } };
      const added = items.map((object) => ({ type: "ADDED", object }) as const);
      yield [...added, { type: "BOOKMARK", object: end }];
    }
    try {
      for await (const event of api.watch(kind, { ...within, resourceVersion, signal: ending }))
        yield [onTheWire(event, { kind, apiVersion })];
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      yield [{ type: "ERROR", object: error.toStatus() }];
    }
  }
}

function onTheWire(event: WatchEvent<unknown>, of: { kind: string; apiVersion: string }): Told {
  if (event.type !== "BOOKMARK") return event;
  return { type: "BOOKMARK", object: { ...of, metadata: { resourceVersion: event.resourceVersion } } };
}

/** `/api/v1/…` and `/apis/GROUP/VERSION/…`, with or without a namespace, a name and what is beneath it. */
function targetOf(pathname: string): {
  namespace?: string;
  plural: string;
  name?: string;
  subresource?: string;
} {
  const [root, ...rest] = pathname.split("/").slice(1).map(decodeURIComponent);
  const [first, second, ...more] = rest.slice(root === "api" ? 1 : 2);
  const namespaced = first === "namespaces" && second !== undefined && more.length > 0;
  const [plural = "", name, subresource] = namespaced ? more : [first, second, ...more];
  return {
    plural,
    ...(namespaced ? { namespace: second } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}
