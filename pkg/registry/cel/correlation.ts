import { writeJson } from "../../encoding/json.ts";
import { deepEqual, isObject, type Json } from "../json.ts";
import type { ValueSchema } from "./value-schema.ts";

/** Finds what an item was before. Only the items of a map can be told: in other lists nothing says which it was. */
export function formerItem(schema: ValueSchema, old: Json | undefined): (item: Json) => Json | undefined {
  if (!Array.isArray(old) || schema.listType !== "map") return () => undefined;
  const identity = (item: Json): string =>
    writeJson(schema.listMapKeys.map((key) => (isObject(item) ? (item[key] ?? null) : null)));
  const byIdentity = new Map<string, Json>();
  for (const item of old) byIdentity.set(identity(item), item);
  return (item) => byIdentity.get(identity(item));
}

/** Whether a value is what it was. A map's items may have changed places. */
export function isUnchanged(schema: ValueSchema | undefined, value: Json, old: Json | undefined): boolean {
  if (old === undefined) return false;
  if (value === old || schema === undefined) return deepEqual(value, old);
  if (Array.isArray(value) && Array.isArray(old)) {
    if (schema.listType !== "map") return deepEqual(value, old);
    const former = formerItem(schema, old);
    return (
      value.length === old.length && value.every((item) => isUnchanged(schema.items, item, former(item)))
    );
  }
  if (!isObject(value) || !isObject(old)) return deepEqual(value, old);
  const keys = Object.keys(value);
  return (
    keys.length === Object.keys(old).length &&
    keys.every((key) => {
      const property = schema.properties.get(key) ?? schema.additionalProperties;
      return Object.hasOwn(old, key) && isUnchanged(property, value[key] as Json, old[key]);
    })
  );
}
