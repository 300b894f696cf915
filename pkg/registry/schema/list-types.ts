import { duplicate, type FieldError, invalid } from "../field-error.ts";
import { goJson } from "../go-json.ts";
import { isObject, type Json } from "../json.ts";
import { identityOf } from "./correlate.ts";
import type { Schema } from "./schema.ts";

/**
 * What sets and maps among the lists of `value` hold twice. Checked apart from the schema: where the old object had
 * such faults already, none is told.
 *
 * @param before - where there is one: the parts that `value` has of it, each at its place, are not looked at
 */
export function validateListTypes(schema: Schema, value: Json, before?: Json): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (schema.hasListTypes) checkListTypes(schema, value, "", errors, before);
  return errors;
}

function checkListTypes(
  schema: Schema,
  value: Json,
  path: string,
  errors: FieldError[],
  before: Json | undefined,
): void {
  if (value === before) return;
  if (Array.isArray(value)) {
    if (schema.listType === "set") checkSet(value, path, errors);
    else if (schema.listType === "map") checkMap(schema, value, path, errors);
    const { items } = schema;
    if (items === undefined || !items.hasListTypes) return;
    const was = Array.isArray(before) ? before : [];
    value.forEach((item, i) => {
      checkListTypes(items, item, `${path}[${i}]`, errors, was[i]);
    });
  } else if (isObject(value)) {
    const was = isObject(before) ? before : undefined;
    for (const key of Object.keys(value)) {
      const declared = schema.properties.get(key);
      const property = declared ?? schema.additionalProperties;
      if (property === undefined || !property.hasListTypes) continue;
      const inner = declared === undefined ? `${path}[${key}]` : join(path, key);
      checkListTypes(property, value[key] as Json, inner, errors, was?.[key]);
    }
  }
}

function checkSet(list: readonly Json[], path: string, errors: FieldError[]): void {
  for (const [i, item] of repeated(list)) errors.push(duplicate(`${path}[${i}]`, item));
}

function checkMap(schema: Schema, list: readonly Json[], path: string, errors: FieldError[]): void {
  const odd = list.findIndex((item) => item !== null && !isObject(item));
  if (odd >= 0) {
    errors.push(invalid(`${path}[${odd}]`, list[odd], "must be an object for an array of list-type map"));
    return;
  }
  if (areNamedApart(schema, list)) return;
  const keys = list.map((item) => identityOf(schema, item));
  for (const [i, key] of repeated(keys)) errors.push(duplicate(`${path}[${i}]`, key));
}

/** Whether all items have the one key of the map, a text, and no two the same: the usual case, told without writing JSON. */
function areNamedApart({ listMapKeys }: Schema, list: readonly Json[]): boolean {
  const [key, ...more] = listMapKeys;
  if (key === undefined || more.length > 0) return false;
  const names = new Set<string>();
  for (const item of list) {
    const name = isObject(item) ? item[key] : undefined;
    if (typeof name !== "string") return false;
    names.add(name);
  }
  return names.size === list.length;
}

/** The second of each value that comes more than once, with its index. */
function repeated(values: readonly Json[]): readonly [index: number, value: Json][] {
  const times = new Map<string, number>();
  const found: [number, Json][] = [];
  for (const [i, value] of values.entries()) {
    const text = goJson(value);
    const before = times.get(text) ?? 0;
    if (before === 1) found.push([i, value]);
    times.set(text, before + 1);
  }
  return found;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
