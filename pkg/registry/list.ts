import type { KubeObject, ListMeta } from "../api/meta.ts";
import { StatusError } from "../api/status-error.ts";
import { unsignedFault } from "../encoding/go-integers.ts";
import { type Continuation, decodeContinue, encodeContinue } from "./continue-token.ts";
import type { DurableState } from "./durable-state.ts";
import { type ObjectSelector, parseFieldSelector } from "./field-selector.ts";
import { everything, parseLabelSelector } from "./label-selector.ts";
import { indexOfKey, rangeOf } from "./object-store.ts";
import type { Resource } from "./resource.ts";
import { badRequest, tooLargeRevision } from "./status-errors.ts";

/** What is read of a resource. */
export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ListOptions extends Selection {
  /** The most objects of an answer; 0 or absent: all. */
  readonly limit?: number | undefined;
  /** A list's `metadata.continue`: the rest of it, at its revision. */
  readonly continue?: string | undefined;
  /** With `resourceVersionMatch` Exact, or a limit alone, the very revision; else one that the answer may not be older than. */
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan" | undefined;
}

export interface ObjectList {
  readonly metadata: ListMeta;
  readonly items: readonly KubeObject[];
}

/**
 * Lists synced objects in the order of their keys. The pages of a list all show its first page's revision.
 *
 * @throws StatusError BadRequest for what cannot be read, Expired (410) for a revision that is no longer known, with a
 *   token in its metadata to go on regardless when it came from one, Timeout (504) for one that was never given
 */
export function list(state: DurableState, resource: Resource, options: ListOptions): ObjectList {
  const selects = selectorOf(resource, options);
  const continuation = options.continue ? decodeContinue(options.continue) : undefined;
  const requested = revisionOf(options.resourceVersion);
  if (continuation !== undefined && requested !== 0) {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  if (requested > state.revision) throw tooLargeRevision(String(options.resourceVersion), state.revision);
  const exact = isExact(options) ? requested : undefined;
  const shownAt = continuation?.revision ?? exact;
  const revision = shownAt === undefined || shownAt < 0 ? undefined : shownAt;
  const namespace = resource.namespaced ? options.namespace : undefined;
  const { keys, objectAt } = viewAt(state, resource, revision, namespace, continuation);
  const limit = options.resourceVersion === "0" ? 0 : (options.limit ?? 0);
  const [from, to] = namespace === undefined ? [0, keys.length] : rangeOf(keys, namespace);
  const start =
    continuation === undefined ? from : Math.min(Math.max(from, indexOfKey(keys, continuation.start)), to);

  const items: KubeObject[] = [];
  let next = start;
  for (; next < to && !(limit > 0 && items.length === limit); next++) {
    const object = objectAt(keys[next] as string);
    if (selects === undefined || selects(object)) items.push(object);
  }
  const shown = revision ?? state.revision;
  const metadata = { resourceVersion: String(shown) };
  if (next === to) return { metadata, items };
  const token = encodeContinue({ revision: shown, start: `${keys[next - 1]}\0` });
  // How many of the rest are selected is not known without looking.
  const remaining = selects === undefined ? { remainingItemCount: to - next } : {};
  return { metadata: { ...metadata, continue: token, ...remaining }, items };
}

/** Compiles both selectors; undefined when everything is selected. */
export function selectorOf(resource: Resource, selection: Selection): ObjectSelector | undefined {
  const labels = parseLabelSelector(selection.labelSelector);
  const fields = parseFieldSelector(resource, selection.fieldSelector);
  if (labels === everything) return fields;
  if (fields === undefined) return (object) => labels(object.metadata.labels);
  return (object) => labels(object.metadata.labels) && fields(object);
}

function revisionOf(resourceVersion: string | undefined): number {
  if (!resourceVersion) return 0;
  const why = unsignedFault(resourceVersion);
  if (why === undefined) return Number(resourceVersion);
  throw badRequest(`invalid resource version: resourceVersion: Invalid value: "${resourceVersion}": ${why}`);
}

/** A limit without a match asks for the very revision too, as it did before there was a match. */
function isExact({ resourceVersion, resourceVersionMatch, limit = 0 }: ListOptions): boolean {
  if (!resourceVersion || resourceVersion === "0") return false;
  return resourceVersionMatch === "Exact" || (resourceVersionMatch === undefined && limit > 0);
}

interface View {
  /** Sorted. */
  readonly keys: readonly string[];
  objectAt(key: string): KubeObject;
}

/** The objects as they were at a revision, or as they are. */
function viewAt(
  state: DurableState,
  { store, view }: Resource,
  revision: number | undefined,
  namespace: string | undefined,
  continuation: Continuation | undefined,
): View {
  const keys = state.synced.keys(store);
  const shown = (object: KubeObject) => (view === undefined ? object : view.read(object));
  const now: View = { keys, objectAt: (key) => shown(state.synced.at(store, key) as KubeObject) };
  if (revision === undefined || revision === state.revision) return now;
  if (revision > state.revision) throw tooLargeRevision(String(revision), state.revision);
  const then = state.history.differencesAt(store, revision);
  if (then === undefined) throw gone(continuation);
  if (then.size === 0) return now;
  const prefix = namespace === undefined ? "" : `${namespace}/`;
  const kept = keys.filter((key) => key.startsWith(prefix) && !then.has(key));
  const changed = [...then].filter(([, object]) => object !== undefined).map(([key]) => key);
  return {
    keys: [...kept, ...changed].sort(),
    objectAt(key) {
      const object = then.get(key);
      return object === undefined ? now.objectAt(key) : shown(object);
    },
  };
}

function gone(continuation: Continuation | undefined): StatusError {
  if (continuation === undefined) {
    return new StatusError(410, "Expired", "The resourceVersion for the provided list is too old.");
  }
  const message =
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
    "deleted between the time the first chunk was returned and now may show up in the list.";
  const token = encodeContinue({ ...continuation, revision: -1 });
  return new StatusError(410, "Expired", message, undefined, { continue: token });
}
