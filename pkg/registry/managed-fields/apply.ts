import type { ManagedFieldsEntry } from "../../api/meta.ts";
import { deepEqual, type JsonObject } from "../json.ts";
import { compare } from "./compare.ts";
import { ApplyConflict, type Conflict, conflictsOf } from "./conflict.ts";
import { difference, type FieldSet, intersection, isEmpty, union, withoutTree } from "./field-set.ts";
import type { FieldType } from "./field-type.ts";
import { fieldsOfValue, withNamedFields } from "./fields-of-value.ts";
import { entryOf, inOrder, isBy, type Managers, secondsOf, type Writer, withFields } from "./managers.ts";
import { merge } from "./merge.ts";
import { fieldElement } from "./path-element.ts";
import { markFitting, reconcile } from "./reconcile.ts";
import { remove } from "./remove.ts";
import { withoutServerFields } from "./server-fields.ts";
import type { Tracked } from "./update.ts";

export interface Applied {
  /** `live` itself where nothing changes. */
  readonly object: JsonObject;
  readonly managers: Managers;
}

/**
 * Applies `config`, all that the writer wants to say of the object: it is merged into the object; what the writer
 * applied before, says no more and nobody else owns, is removed; the writer owns what it says.
 *
 * @param force - take over what others own and `config` changes
 * @throws ApplyConflict naming those fields, without `force`
 * @throws FieldTypeError for a list item that cannot be told from others
 */
export function applyConfig(before: Tracked, config: JsonObject, writer: Writer, force: boolean): Applied {
  const { type, live, ignored, nowMs } = before;
  const said = without(fieldsOfValue(type, config), ignored);
  const managers = reconcile(type, before.managers);
  const last = managers.find((entry) => isBy(entry, writer));
  const others = managers.filter((entry) => entry !== last);
  const merged = merge(type, live, config);
  const object = last === undefined ? merged : prune(type, merged, last.fieldsV1, ownedBy(others, said));
  const { changed, removed } = compare(type, live, object, ignored);
  const conflicts: Conflict[] = [];
  const owners: ManagedFieldsEntry[] = [];
  for (const entry of others) {
    const contested = intersection(entry.fieldsV1, changed);
    if (!isEmpty(contested)) conflicts.push(...conflictsOf(entry, contested));
    const fields = difference(difference(entry.fieldsV1, contested), removed);
    if (!isEmpty(fields)) owners.push(withFields(entry, fields));
  }
  if (conflicts.length > 0 && !force) throw new ApplyConflict(conflicts);
  const isSame = deepEqual(object, live);
  const own = withoutServerFields(said);
  if (!isEmpty(own)) owners.push(ownEntry(last, writer, own, isSame ? last?.time : secondsOf(nowMs)));
  return { object: isSame ? live : object, managers: markFitting(type, inOrder(owners, before.managers)) };
}

/** The writer's last entry itself, where it says the same again. */
function ownEntry(
  last: ManagedFieldsEntry | undefined,
  writer: Writer,
  fields: FieldSet,
  time: string | undefined,
): ManagedFieldsEntry {
  const isSame =
    last !== undefined &&
    last.time === time &&
    last.apiVersion === writer.apiVersion &&
    deepEqual(last.fieldsV1, fields);
  return isSame ? last : entryOf(writer, fields, time);
}

function without(set: FieldSet, ignored: readonly string[]): FieldSet {
  return ignored.reduce((left, name) => withoutTree(left, [fieldElement(name)]), set);
}

function ownedBy(others: readonly ManagedFieldsEntry[], said: FieldSet): FieldSet {
  return others.reduce((all, { fieldsV1 }) => union(all, fieldsV1), said);
}

/**
 * `merged` without what is in `last` and in nobody's set of `owned`. Parts of a removed field that nobody ever owned,
 * defaults for instance, go with it; those of others stay.
 */
function prune(type: FieldType, merged: JsonObject, last: FieldSet, owned: FieldSet): JsonObject {
  if (isEmpty(difference(last, owned))) return merged;
  const named = (set: FieldSet): FieldSet => withNamedFields(set, type);
  const [all, lost] = [named(fieldsOfValue(type, merged)), named(last)];
  const left = named(fieldsOfValue(type, remove(type, merged, lost)));
  const kept = remove(type, merged, difference(all, union(left, named(owned))));
  const gone = difference(all, named(fieldsOfValue(type, kept)));
  return remove(type, merged, intersection(gone, lost));
}
