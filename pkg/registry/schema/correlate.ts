import { sameJson } from "../../api/same-json.ts";
import { writeJson } from "../../encoding/json.ts";
import { isObject, type Json } from "../json.ts";
import type { Schema } from "./schema.ts";

/**
 * Finds an item's former self. Only the items of a map have one: in other lists nothing says which it was. An item
 * that lacks a key has none; of two with the same keys it is the first.
 */
export function correlated(schema: Schema, old: Json | undefined): (item: Json) => Json | undefined {
  if (!Array.isArray(old) || schema.listType !== "map") return () => undefined;
  const byKeys = new Map<string, Json>();
  for (const item of old) {
    const keys = keysOf(schema, item);
    if (keys !== undefined && !byKeys.has(keys)) byKeys.set(keys, item);
  }
  return (item) => {
    const keys = keysOf(schema, item);
    return keys === undefined ? undefined : byKeys.get(keys);
  };
}

/** Undefined where a key is absent or no scalar. */
function keysOf({ listMapKeys }: Schema, item: Json): string | undefined {
  if (!isObject(item)) return undefined;
  const keys: Json[] = [];
  for (const key of listMapKeys) {
    const value = item[key];
    if (value === undefined || value === null || typeof value === "object") return undefined;
    keys.push(value);
  }
  // The usual case, a name, needs no writing: no JSON of a list begins with a quote.
  const [only] = keys;
  return keys.length === 1 && typeof only === "string" ? `"${only}` : writeJson(keys);
}

/**
 * Whether a value is what it was, as far as the schema can tell: a field that it does not describe has no former self,
 * and so an object with such fields is never the same. The items of a map may have changed places.
 *
 * @see Kubernetes' apiserver pkg/cel/common/equality.go, CachedDeepEqual
 */
export function isUnchanged(schema: Schema, value: Json, old: Json | undefined): boolean {
  if (value === old && schema.isClosed) return true;
  if (Array.isArray(value) && Array.isArray(old)) {
    const { items, listType } = schema;
    if (items === undefined || listType !== "map") return sameJson(value, old);
    const former = correlated(schema, old);
    return (
      value.length === old.length &&
      value.every((item) => {
        const before = former(item);
        return before !== undefined && isUnchanged(items, item, before);
      })
    );
  }
  if (!isObject(value) || !isObject(old)) return sameJson(value, old);
  const keys = Object.keys(value);
  return (
    keys.length === Object.keys(old).length &&
    keys.every((key) => {
      const described = schema.properties.get(key) ?? schema.additionalProperties;
      return (
        described !== undefined &&
        Object.hasOwn(old, key) &&
        isUnchanged(described, value[key] as Json, old[key])
      );
    })
  );
}

/** A whole object. Its metadata is more than its schema describes, and so it is never the same. */
export function isWhole(value: Json): boolean {
  return isObject(value) && Object.hasOwn(value, "metadata");
}

/** What makes an item itself in a map: the values of its keys, as far as it has them. */
export function identityOf(schema: Schema, item: Json): Json {
  if (!isObject(item)) return item === null ? {} : item;
  const identity: Record<string, Json> = {};
  for (const key of schema.listMapKeys) if (item[key] !== undefined) identity[key] = item[key];
  return identity;
}
