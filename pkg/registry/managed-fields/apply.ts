import type { ManagedFieldsEntry } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";
import type { Json, JsonObject } from "../json.ts";
import { ApplyConflict, type Conflict, conflictsOf } from "./conflict.ts";
import { difference, type FieldSet, intersection, isEmpty, none, union, withoutTree } from "./field-set.ts";
import type { FieldType } from "./field-type.ts";
import { fieldsOfValue, withNamedFields } from "./fields-of-value.ts";
import { inOrder, isBy, type Managers, secondsOf, type Writer, withFields } from "./managers.ts";
import { merge } from "./merge.ts";
import { fieldElement } from "./path-element.ts";
import { reconcile } from "./reconcile.ts";
import { remove } from "./remove.ts";
import { withoutServerFields } from "./server-fields.ts";
import { ownEntry, type Tracked } from "./update.ts";
import { comparisons, type Versions } from "./versions.ts";

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
  const { versions, live, fitting, ignored, nowMs } = before;
  const type = typeOf(versions, writer.apiVersion);
  const said = without(fieldsOfValue(type, config), ignored);
  const managers = reconcile(versions, before.managers, fitting ? writer.apiVersion : undefined);
  const last = managers.find((entry) => isBy(entry, writer));
  const others = managers.filter((entry) => entry !== last);
  const merged = merge(type, live, config);
  const object =
    last === undefined ? merged : prune(versions, merged, last, [...others, owning(writer, said)]);
  const changesIn = comparisons(versions, live, object, ignored);
  const conflicts: Conflict[] = [];
  const owners: ManagedFieldsEntry[] = [];
  for (const entry of others) {
    const changes = changesIn(entry.apiVersion);
    // Of a version that is not served any more nothing can be said.
    if (changes === undefined) continue;
    const contested = intersection(entry.fieldsV1, changes.changed);
    if (!isEmpty(contested)) conflicts.push(...conflictsOf(entry, contested));
    const fields = difference(difference(entry.fieldsV1, contested), changes.removed);
    if (!isEmpty(fields)) owners.push(withFields(entry, fields));
  }
  if (conflicts.length > 0 && !force) throw new ApplyConflict(conflicts);
  const isSame = sameJson(object, live);
  const own = withoutServerFields(said);
  if (!isEmpty(own)) owners.push(ownEntry(last, writer, own, isSame ? last?.time : secondsOf(nowMs)));
  return {
    object: isSame ? live : object,
    managers: inOrder(owners, before.managers),
  };
}

function typeOf(versions: Versions, apiVersion: string): FieldType {
  const type = versions.typeIn(apiVersion);
  if (type === undefined) throw new TypeError(`${apiVersion} is not served.`);
  return type;
}

function without(set: FieldSet, ignored: readonly string[]): FieldSet {
  return ignored.reduce((left, name) => withoutTree(left, [fieldElement(name)]), set);
}

/** Fields of one version. */
type Owned = Pick<ManagedFieldsEntry, "apiVersion" | "fieldsV1">;

function owning({ apiVersion }: Writer, fieldsV1: FieldSet): Owned {
  return { apiVersion, fieldsV1 };
}

/**
 * `merged` without what the writer said last and nobody of `owners` says or owns. Parts of a removed field that nobody
 * ever owned, defaults for instance, go with it; those of others stay.
 */
function prune(versions: Versions, merged: JsonObject, last: Owned, owners: readonly Owned[]): JsonObject {
  const owned = new Map<string, FieldSet>();
  for (const { apiVersion, fieldsV1 } of owners) {
    owned.set(apiVersion, union(owned.get(apiVersion) ?? none, fieldsV1));
  }
  const lastType = versions.typeIn(last.apiVersion);
  // What was said in a version that is not served any more stays.
  if (lastType === undefined) return merged;
  if (isEmpty(difference(last.fieldsV1, owned.get(last.apiVersion) ?? none))) return merged;
  const whole = versions.convert(merged, last.apiVersion);
  const lost = withNamedFields(last.fieldsV1, lastType);
  let kept = remove(lastType, whole, lost);
  // First in the version that was pruned: others may need what is missing yet.
  for (const version of new Set([last.apiVersion, ...owned.keys()])) {
    const type = versions.typeIn(version);
    if (type === undefined) continue;
    const [all, left] = [versions.convert(merged, version), versions.convert(kept, version)];
    const stays = union(namedFields(type, left), withNamedFields(owned.get(version) ?? none, type));
    kept = remove(type, all, difference(namedFields(type, all), stays));
  }
  const left = versions.convert(kept, last.apiVersion);
  const gone = difference(namedFields(lastType, whole), namedFields(lastType, left));
  const pruned = remove(lastType, whole, intersection(gone, lost));
  return versions.convert(pruned, text(merged.apiVersion));
}

function namedFields(type: FieldType, value: JsonObject): FieldSet {
  return withNamedFields(fieldsOfValue(type, value), type);
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
