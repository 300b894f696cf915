import type { ManagedFieldsEntry } from "../../api/meta.ts";
import { none, union } from "./field-set.ts";
import { entryOf, identityOf } from "./managers.ts";

/** More updaters than these are not told apart. */
const maxUpdaters = 10;

/**
 * The owners with their oldest updaters as one, `ancient-changes`, when there are more than ten: an object that every
 * writer names differently would grow without end.
 */
export function cap(owners: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
  const updaters = owners.filter(({ operation }) => operation === "Update");
  let tooMany = updaters.length - maxUpdaters;
  if (tooMany <= 0) return owners;
  const entries = new Map(owners.map((entry) => [identityOf(entry), entry]));
  const firsts = new Map<string, string>();
  for (const entry of updaters.sort(oldestFirst)) {
    if (tooMany <= 0) break;
    const { apiVersion, time } = entry;
    const id = identityOf(entry);
    const first = firsts.get(apiVersion);
    if (first === undefined) {
      firsts.set(apiVersion, id);
      continue;
    }
    const bucket = { manager: "ancient-changes", operation: "Update", apiVersion, subresource: "" } as const;
    const bucketId = identityOf(entryOf(bucket, none, undefined));
    const into = id === bucketId ? undefined : entries.get(bucketId);
    const older = into ?? entries.get(first);
    if (into === undefined) entries.delete(first);
    entries.delete(id);
    entries.set(bucketId, entryOf(bucket, union(older?.fieldsV1 ?? none, entry.fieldsV1), time));
    tooMany--;
  }
  return [...entries.values()];
}

function oldestFirst(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  const [left, right] = [a, b].map((entry) => [entry.time ?? "", identityOf(entry)] as const);
  for (const i of [0, 1] as const) {
    const [x, y] = [left?.[i] ?? "", right?.[i] ?? ""];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
