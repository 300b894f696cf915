/** Whole lists, as a stream where the server can (WatchList, KEP-3157), else in pages. */
import type { KubeObject, ListMeta } from "../api/meta.ts";
import { collectionPath, type Served } from "../api/paths.ts";
import { isExpired, StatusError } from "../api/status-error.ts";
import { deepFreeze } from "../registry/json.ts";
import type { List, ListOptions } from "../runtime/client.ts";
import { type Call, exchange, readJson, unreachable } from "./exchange.ts";
import { openStream, type StreamDeps, type StreamEvent } from "./stream.ts";

/** Objects a page: client-go's. */
const pageSize = 500;
/** A stream that has told its list waits this long for somebody to watch on, in milliseconds. */
const unclaimedMs = 5_000;
/** A server that has not told the whole list by then does not know of such lists, in milliseconds. */
const wholeListMs = 30_000;
const initialEventsEnd = "k8s.io/initial-events-end";

interface Begun {
  stream: AsyncGenerator<StreamEvent, void>;
  ending: AbortController;
  claimed: AbortController;
}

export class ListReader {
  readonly #deps: StreamDeps;
  #streams = true;
  readonly #begun = new Map<string, Begun>();

  constructor(deps: StreamDeps) {
    this.#deps = deps;
  }

  /**
   * All objects as they are now (a consistent read). Where lists are streamed, the stream is kept for a moment for a
   * watch that goes on from the list's revision.
   */
  async read(served: Served, options: ListOptions): Promise<List<KubeObject>> {
    if (this.#streams) {
      try {
        const list = await this.#readStream(served, options);
        if (list !== undefined) return list;
        this.#streams = false;
      } catch (error) {
        if (!isUnknownToServer(error) && !isExpired(error)) throw error;
        // A history that is gone says nothing against the next one.
        this.#streams = isExpired(error);
      }
    }
    return await this.#readPages(served, options);
  }

  /** The stream that told the list of `resourceVersion`, if it is still there; it ends with `signal`. */
  goOn(
    served: Served,
    options: ListOptions,
    resourceVersion: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<StreamEvent, void> | undefined {
    const name = nameOf(served, options, resourceVersion);
    const begun = this.#begun.get(name);
    if (begun === undefined) return undefined;
    this.#begun.delete(name);
    begun.claimed.abort();
    if (signal?.aborted === true) begun.ending.abort();
    signal?.addEventListener("abort", () => begun.ending.abort(), { once: true });
    return begun.stream;
  }

  /** Undefined when the server does not say where the list ends. */
  async #readStream(served: Served, options: ListOptions): Promise<List<KubeObject> | undefined> {
    const ending = new AbortController();
    const path = collectionPath(served, options.namespace, {
      watch: "true",
      sendInitialEvents: "true",
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: "true",
      labelSelector: options.labelSelector,
    });
    const stream = openStream(this.#deps, { method: "GET", path, signal: ending.signal });
    const whole = new AbortController();
    const { clock, access } = this.#deps;
    let late = false;
    clock.sleep(wholeListMs, whole.signal).then(
      () => {
        late = true;
        ending.abort();
      },
      () => {
        // The list was whole in time.
      },
    );
    const items = new Map<string, KubeObject>();
    try {
      for (let next = await stream.next(); next.done !== true; next = await stream.next()) {
        const { type, object } = next.value;
        const { namespace, name, resourceVersion = "0", annotations } = object.metadata;
        if (type === "BOOKMARK" && annotations?.[initialEventsEnd] === "true") {
          this.#keep(nameOf(served, options, resourceVersion), {
            stream,
            ending,
            claimed: new AbortController(),
          });
          return { metadata: { resourceVersion }, items: sorted(items) };
        }
        if (type === "DELETED") items.delete(`${namespace}/${name}`);
        else if (type !== "BOOKMARK") items.set(`${namespace}/${name}`, object);
      }
      if (late) return undefined;
      throw unreachable(access.server, { method: "GET", path }, "The list broke off.");
    } finally {
      whole.abort();
    }
  }

  #keep(name: string, begun: Begun): void {
    this.#begun.get(name)?.ending.abort();
    this.#begun.set(name, begun);
    this.#deps.clock.sleep(unclaimedMs, begun.claimed.signal).then(
      () => {
        this.#begun.delete(name);
        begun.ending.abort();
        // Its generator has nobody who would read it to its end.
        void begun.stream.return();
      },
      () => {
        // Claimed: a watch reads on.
      },
    );
  }

  async #readPages(served: Served, options: ListOptions): Promise<List<KubeObject>> {
    const items: KubeObject[] = [];
    let paged = true;
    for (let from: string | undefined; ; ) {
      const call: Call = {
        method: "GET",
        path: collectionPath(served, options.namespace, {
          labelSelector: options.labelSelector,
          ...(paged ? { limit: String(pageSize), continue: from } : {}),
        }),
      };
      try {
        const answer = await readJson(await exchange(this.#deps, call), call, this.#deps.access);
        const page = answer as Page;
        items.push(...(page.items ?? []).map((item) => deepFreeze({ ...typeOf(page), ...item })));
        from = page.metadata.continue || undefined;
        if (from === undefined)
          return { metadata: { resourceVersion: page.metadata.resourceVersion }, items };
      } catch (error) {
        // The history behind the pages is gone. A list in one piece needs none.
        if (!isExpired(error) || !paged || from === undefined) throw error;
        items.length = 0;
        from = undefined;
        paged = false;
      }
    }
  }
}

interface Page {
  apiVersion: string;
  kind: string;
  metadata: ListMeta;
  items: KubeObject[] | null;
}

/** Items of built-in kinds don't say what they are: their list does. */
function typeOf({ apiVersion, kind }: Page): { apiVersion: string; kind: string } {
  return { apiVersion, kind: kind.replace(/List$/, "") };
}

function nameOf(
  { group, plural }: Served,
  { namespace, labelSelector }: ListOptions,
  revision: string,
): string {
  return JSON.stringify([group, plural, namespace, labelSelector, revision]);
}

/** By namespace and name, as the API lists. */
function sorted(items: ReadonlyMap<string, KubeObject>): KubeObject[] {
  return [...items].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}

/** What servers without such lists say: the parameter is forbidden, or not known. */
function isUnknownToServer(error: unknown): boolean {
  return error instanceof StatusError && (error.code === 400 || error.code === 422);
}
