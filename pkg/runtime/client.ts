/**
 * All that controllers know of an API: one interface, in-process on the registry or over HTTP. Objects that
 * it returns are deep-frozen; errors are `StatusError`s; a watch event arrives in a later turn than its write.
 */
import type { Kinds } from "../api/generated.ts";
import type { ListMeta, ObjectKey } from "../api/meta.ts";

export type Kind = keyof Kinds & string;

/** An object as it is sent: server-set metadata may be absent. */
export type Draft<T> = T extends { metadata: infer _M } ? Omit<T, "status"> & { status?: unknown } : never;

export interface ListOptions {
  /** Absent: all namespaces. */
  namespace?: string;
  /** Kubernetes' syntax: `a=b,c in (d,e),!f`. */
  labelSelector?: string;
}

export interface WatchOptions extends ListOptions {
  /** Events after this revision; it comes from a list or an earlier event. */
  resourceVersion: string;
  /** Ends the watch; the iterator then returns. */
  signal?: AbortSignal;
}

export type WatchEvent<T> =
  | { type: "ADDED" | "MODIFIED" | "DELETED"; object: T }
  | { type: "BOOKMARK"; resourceVersion: string };

export interface List<T> {
  metadata: ListMeta;
  items: readonly T[];
}

export interface DeleteOptions {
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

/** A JSON merge patch (RFC 7386): null deletes, lists are replaced whole. */
export type MergePatch = Record<string, unknown>;

export interface PatchOptions {
  /** `status` patches only status; without it status is ignored, as the status subresource has it. */
  subresource?: "status" | "scale";
}

export interface Client {
  /** The object, or undefined where there is none. */
  get<K extends Kind>(kind: K, key: ObjectKey): Promise<Kinds[K] | undefined>;
  list<K extends Kind>(kind: K, options?: ListOptions): Promise<List<Kinds[K]>>;
  /**
   * Events in revision order until `signal` aborts. Throws StatusError `Expired` (410) when the history from
   * `resourceVersion` is gone: list again.
   */
  watch<K extends Kind>(kind: K, options: WatchOptions): AsyncIterable<WatchEvent<Kinds[K]>>;
  create<K extends Kind>(kind: K, object: Draft<Kinds[K]>): Promise<Kinds[K]>;
  /** Replaces spec and metadata; `metadata.resourceVersion` must be the one read, else Conflict. Status is ignored. */
  update<K extends Kind>(kind: K, object: Kinds[K]): Promise<Kinds[K]>;
  /** Replaces status alone, with the same precondition. */
  updateStatus<K extends Kind>(kind: K, object: Kinds[K]): Promise<Kinds[K]>;
  /** A `metadata.resourceVersion` within the patch is a precondition. A patch that changes nothing writes nothing. */
  patch<K extends Kind>(
    kind: K,
    key: ObjectKey,
    patch: MergePatch,
    options?: PatchOptions,
  ): Promise<Kinds[K]>;
  /** Missing: StatusError NotFound. With finalizers the object stays, with a deletionTimestamp. */
  delete(kind: Kind, key: ObjectKey, options?: DeleteOptions): Promise<void>;
}
