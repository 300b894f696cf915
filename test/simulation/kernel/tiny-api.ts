/**
 * Just enough of an API for tests of the runtime alone: revisions, conflicts, deletion and watch. No schemas, no
 * finalizers, no status subresource; patches merge one level deep.
 */
import type { Kinds } from "../../../pkg/api/generated.ts";
import type { KubeObject, ObjectKey, ObjectMeta } from "../../../pkg/api/meta.ts";
import { keyOf, keyString } from "../../../pkg/api/meta.ts";
import { StatusError } from "../../../pkg/api/status-error.ts";
import type { Client, Kind, ListOptions, WatchEvent } from "../../../pkg/runtime/client.ts";
import { labelSelector } from "../../../pkg/runtime/label-selector.ts";

interface Entry {
  revision: number;
  kind: string;
  event: WatchEvent<KubeObject>;
}

export interface TinyApi extends Client {
  /** The newest state, at once: for checks between steps. */
  objects(kind: Kind): readonly KubeObject[];
}

/** @param defer - runs its argument in a later turn: watchers hear of a write after its answer was made */
export function tinyApi(defer: (fn: () => void) => void): TinyApi {
  const objects = new Map<string, KubeObject>();
  const history: Entry[] = [];
  const watchers = new Set<() => void>();
  let shown = 0;

  const ofKind = (kind: Kind): KubeObject[] =>
    [...objects].filter(([id]) => id.startsWith(`${kind} `)).map(([, object]) => object);

  const idOf = (kind: string, key: ObjectKey): string => `${kind} ${keyString(key)}`;

  function publish(kind: string, type: "ADDED" | "MODIFIED" | "DELETED", changed: KubeObject): KubeObject {
    const revision = history.length + 1;
    const metadata = Object.freeze({ ...changed.metadata, resourceVersion: String(revision) });
    const object = Object.freeze({ ...changed, metadata });
    history.push({ revision, kind, event: { type, object } });
    if (type === "DELETED") objects.delete(idOf(kind, keyOf(object)));
    else objects.set(idOf(kind, keyOf(object)), object);
    defer(() => {
      shown = Math.max(shown, revision);
      for (const wake of [...watchers]) wake();
    });
    return object;
  }

  function existing(kind: string, key: ObjectKey, resourceVersion: unknown): KubeObject {
    const object = objects.get(idOf(kind, key));
    if (object === undefined) throw new StatusError(404, "NotFound", `${kind} ${key.name} not found`);
    if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion)
      throw new StatusError(409, "Conflict", `${kind} ${key.name} has been modified`);
    return object;
  }

  function update(kind: string, object: KubeObject): KubeObject {
    existing(kind, keyOf(object), object.metadata.resourceVersion ?? "");
    return publish(kind, "MODIFIED", object);
  }

  async function* watch(
    kind: string,
    from: string,
    signal?: AbortSignal,
  ): AsyncGenerator<WatchEvent<KubeObject>> {
    let next = Number(from);
    while (!signal?.aborted) {
      while (next < shown) {
        const entry = history[next];
        next += 1;
        if (entry?.kind === kind) yield entry.event;
        if (signal?.aborted) return;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          watchers.delete(wake);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        watchers.add(wake);
        signal?.addEventListener("abort", wake, { once: true });
      });
    }
  }

  return {
    objects: ofKind,
    get: async <K extends Kind>(kind: K, key: ObjectKey) =>
      objects.get(idOf(kind, key)) as Kinds[K] | undefined,
    async list<K extends Kind>(kind: K, { namespace, labelSelector: selector = "" }: ListOptions = {}) {
      const selected = labelSelector(selector);
      const items = ofKind(kind).filter(
        (object) => (namespace === undefined || keyOf(object).namespace === namespace) && selected(object),
      );
      return { metadata: { resourceVersion: String(history.length) }, items: items as unknown as Kinds[K][] };
    },
    watch: <K extends Kind>(
      kind: K,
      { resourceVersion, signal }: { resourceVersion: string; signal?: AbortSignal },
    ) => watch(kind, resourceVersion, signal) as unknown as AsyncIterable<WatchEvent<Kinds[K]>>,
    async create(kind, object) {
      const draft = object as unknown as KubeObject;
      if (objects.has(idOf(kind, keyOf(draft))))
        throw new StatusError(409, "AlreadyExists", `${kind} ${draft.metadata.name} already exists`);
      const metadata = { namespace: "default", ...draft.metadata, uid: `uid-${history.length + 1}` };
      return publish(kind, "ADDED", { ...draft, metadata }) as never;
    },
    update: async (kind, object) => update(kind, object as KubeObject) as never,
    updateStatus: async (kind, object) => update(kind, object as KubeObject) as never,
    async patch(kind, key, patch) {
      const { resourceVersion } = (patch.metadata ?? {}) as Partial<ObjectMeta>;
      const object = existing(kind, key, resourceVersion);
      const merged = Object.entries(patch).map(([field, value]) => {
        const before = object[field as keyof KubeObject];
        return [field, isRecord(value) && isRecord(before) ? { ...before, ...value } : value];
      });
      return publish(kind, "MODIFIED", { ...object, ...Object.fromEntries(merged) }) as never;
    },
    async delete(kind, key, options) {
      publish(kind, "DELETED", existing(kind, key, options?.preconditions?.resourceVersion));
    },
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
