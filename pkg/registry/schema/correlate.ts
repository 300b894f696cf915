import { writeJson } from "../../encoding/json.ts";
import { isObject, type Json } from "../json.ts";
import type { Schema } from "./schema.ts";

/** Finds an item's former self. Only the items of a map have one: in other lists nothing says which it was. */
export function correlated(schema: Schema, old: Json | undefined): (item: Json) => Json | undefined {
  if (!Array.isArray(old) || schema.listType !== "map") return () => undefined;
  const byIdentity = new Map<string, Json>();
  for (const item of old) byIdentity.set(writeJson(identityOf(schema, item)), item);
  return (item) => byIdentity.get(writeJson(identityOf(schema, item)));
}

/** What makes an item itself in a map: the values of its keys, as far as it has them. */
export function identityOf(schema: Schema, item: Json): Json {
  if (!isObject(item)) return item === null ? {} : item;
  const identity: Record<string, Json> = {};
  for (const key of schema.listMapKeys) if (item[key] !== undefined) identity[key] = item[key];
  return identity;
}
