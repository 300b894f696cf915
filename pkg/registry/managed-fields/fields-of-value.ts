import { isObject, type Json, type JsonObject } from "../json.ts";
import { type FieldSet, isEmpty, memberWith, none } from "./field-set.ts";
import { type FieldType, kindOf, type ListType, type MapType, stepTo } from "./field-type.ts";
import { itemElement } from "./list-item.ts";

/**
 * The fields that `value` says something of: its leaves, its list items, and the keys of its maps. Named fields that
 * only hold others are not among them: whoever says `spec.size` does not claim `spec`.
 */
export function fieldsOfValue(type: FieldType, value: JsonObject): FieldSet {
  return type.map === undefined ? none : fieldsOfMap(type.map, value);
}

/**
 * `set` with every named field on the way to one of its fields.
 *
 * @param type - of the value that the set is about
 */
export function withNamedFields(set: FieldSet, type: FieldType | undefined): FieldSet {
  const result: Record<string, FieldSet> = {};
  for (const element of Object.keys(set)) {
    const beneath = set[element] as FieldSet;
    if (element === "." || isEmpty(beneath)) {
      result[element] = beneath;
      continue;
    }
    const within = withNamedFields(beneath, typeAt(type, element));
    const isNamed = element.startsWith("f:") && type?.map?.fields.has(element.slice(2)) === true;
    result[element] = isNamed ? memberWith(within) : within;
  }
  return result;
}

function typeAt(type: FieldType | undefined, element: string): FieldType | undefined {
  if (element.startsWith("f:"))
    return type?.map === undefined ? undefined : stepTo(type.map, element.slice(2)).type;
  return element.startsWith("k:") ? type?.list?.items : undefined;
}

/** What stands beneath the value's path, whether or not the value is in the set itself; undefined: nothing. */
function fieldsBeneath(type: FieldType, value: Json): FieldSet | undefined {
  const kind = kindOf(type, value);
  if (kind === "list" && type.list !== undefined) {
    if (type.list.relation === "atomic") return none;
    const fields = fieldsOfList(type.list, Array.isArray(value) ? value : []);
    return isEmpty(fields) ? undefined : fields;
  }
  if (kind === "map" && type.map !== undefined) {
    if (type.map.atomic) return none;
    const fields = fieldsOfMap(type.map, isObject(value) ? value : {});
    return isEmpty(fields) ? undefined : fields;
  }
  return none;
}

function fieldsOfMap(type: MapType, map: JsonObject): FieldSet {
  const fields: Record<string, FieldSet> = {};
  for (const name of Object.keys(map)) {
    const value = map[name];
    if (value === undefined) continue;
    const step = stepTo(type, name);
    const beneath = fieldsBeneath(step.type, value);
    const isItself = value === null || isEmptyMap(value) || !type.fields.has(name);
    const node = isItself ? memberWith(beneath ?? none) : beneath;
    if (node !== undefined) fields[step.element] = node;
  }
  return fields;
}

function fieldsOfList(type: ListType, list: readonly Json[]): FieldSet {
  const fields: Record<string, FieldSet> = {};
  const several = new Set<string>();
  for (const item of list) {
    const element = itemElement(type, item);
    if (fields[element] !== undefined) several.add(element);
    fields[element] = memberWith(fieldsBeneath(type.items, item) ?? none);
  }
  // Nothing tells items of one identity apart, so that their parts have no paths.
  for (const element of several) fields[element] = none;
  return fields;
}

function isEmptyMap(value: Json): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}
