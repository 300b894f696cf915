/** What a log says: each object's newest state and each file's text, kept as the JSON a snapshot is written from. */
import { readJson, writeJson } from "../../encoding/json.ts";
import type { Change, FileText, RecentChange, StoredState, Transaction } from "../storage.ts";

export interface LogState {
  revision: number;
  /** By resource, namespace and name: the newest change as JSON. Deleted objects are absent. */
  objects: Map<string, string>;
  files: Map<string, string>;
}

export function emptyState(): LogState {
  return { revision: 0, objects: new Map(), files: new Map() };
}

/** A transaction and its JSON, made once for the log and for later snapshots. */
export interface EncodedTransaction {
  transaction: Transaction;
  /** One for each change. */
  changes: readonly string[];
  json: string;
}

export function encodeTransaction(transaction: Transaction): EncodedTransaction {
  const changes = transaction.changes.map((change) => writeJson(change));
  const json = `{"changes":[${changes.join(",")}],"files":${JSON.stringify(transaction.files ?? [])}}`;
  return { transaction, changes, json };
}

/**
 * @param tell - told each change before it is made
 * @throws RangeError when the revision goes back: a bug of the caller
 */
export function applyTransaction(
  state: LogState,
  { transaction, changes }: EncodedTransaction,
  tell?: (change: RecentJson) => void,
): void {
  transaction.changes.forEach((change, index) => {
    if (!(change.revision >= state.revision)) {
      throw new RangeError(`Revision ${change.revision} of ${objectId(change)} is below ${state.revision}.`);
    }
    tell?.({ change: changes[index] as string, previous: state.objects.get(objectId(change)) });
    state.revision = change.revision;
    putObject(state, change, changes[index]);
  });
  for (const file of transaction.files ?? []) putFile(state, file);
}

/** `json` is `change` as JSON, when it is at hand. */
export function putObject(state: LogState, change: Change, json = writeJson(change)): void {
  if (change.object === undefined) state.objects.delete(objectId(change));
  else state.objects.set(objectId(change), json);
}

export function putFile(state: LogState, { path, text }: FileText): void {
  if (text === undefined) state.files.delete(path);
  else state.files.set(path, text);
}

/** A change as JSON, beside the one that it replaced. */
export interface RecentJson {
  change: string;
  previous: string | undefined;
}

export function toStoredState(state: LogState, recent: readonly RecentJson[] = []): StoredState {
  return {
    revision: state.revision,
    objects: [...state.objects.values()].map((json) => readJson(json) as Change),
    recent: recent.map(toRecentChange),
    files: [...state.files].map(([path, text]): FileText => ({ path, text })),
  };
}

function toRecentChange({ change, previous }: RecentJson): RecentChange {
  const before = previous === undefined ? undefined : (readJson(previous) as Change).object;
  return { ...(readJson(change) as Change), previous: before };
}

function objectId({ resource, namespace, name }: Change): string {
  return `${resource}/${namespace}/${name}`;
}
