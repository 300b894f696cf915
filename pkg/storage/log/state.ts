/** What a log says: each object's newest state and each file's text. */
import { writeJson } from "../../encoding/json.ts";
import type { Change, FileText, RecentChange, StoredState, Transaction } from "../storage.ts";

/** With `Kept` for the newest change of each object. */
export interface State<Kept> {
  revision: number;
  /** By resource, namespace and name. Deleted objects are absent. */
  objects: Map<string, Kept>;
  files: Map<string, string>;
}

/**
 * As a log that is written to keeps it, for snapshots: changes as the JSON that was written, those of earlier lives as they
 * were read. Most of these are replaced before a snapshot is due.
 */
export type LogState = State<string | Change>;
/** As a log is read back: changes as they were read. */
export type ReadState = State<Change>;

export function emptyState<Kept>(): State<Kept> {
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
  const json = `{"changes":${linesOf(changes)},"files":${JSON.stringify(transaction.files ?? [])}}`;
  return { transaction, changes, json };
}

/** A list of JSON values, each on a line of its own: for people who look into a log, and who reads one line as another. */
export function linesOf(values: readonly string[]): string {
  return values.length === 0 ? "[]" : `[\n${values.join(",\n")}\n]`;
}

/**
 * @param kept - what is kept of each change
 * @param tell - told each change before it is made, and what is kept of the one that it replaces
 * @throws RangeError when the revision goes back: a bug of the caller
 */
export function applyTransaction<Kept>(
  state: State<Kept>,
  transaction: Transaction,
  kept: readonly Kept[],
  tell?: (change: Change, previous: Kept | undefined) => void,
): void {
  transaction.changes.forEach((change, index) => {
    if (!(change.revision >= state.revision)) {
      throw new RangeError(`Revision ${change.revision} of ${objectId(change)} is below ${state.revision}.`);
    }
    tell?.(change, state.objects.get(objectId(change)));
    state.revision = change.revision;
    putObject(state, change, kept[index] as Kept);
  });
  for (const file of transaction.files ?? []) putFile(state, file);
}

export function putObject<Kept>(state: State<Kept>, change: Change, kept: Kept): void {
  if (change.object === undefined) state.objects.delete(objectId(change));
  else state.objects.set(objectId(change), kept);
}

export function putFile(state: State<unknown>, { path, text }: FileText): void {
  if (text === undefined) state.files.delete(path);
  else state.files.set(path, text);
}

export function toStoredState(
  { revision, objects, files }: ReadState,
  recent: readonly RecentChange[] = [],
): StoredState {
  return {
    revision,
    objects: [...objects.values()],
    recent,
    files: [...files].map(([path, text]): FileText => ({ path, text })),
  };
}

function objectId({ resource, namespace, name }: Change): string {
  return `${resource}/${namespace}/${name}`;
}
