import { isObject, type Json, type JsonObject } from "../json.ts";
import type { GoType, StructType } from "./types.ts";

/** An object with its keys as Go writes them: those of structs as their type lists them, those of maps sorted. */
export function inGoOrder(type: StructType, object: JsonObject): JsonObject {
  const ordered: Record<string, Json> = {};
  for (const [name, field] of type.fields) {
    const value = object[name];
    if (value !== undefined) ordered[name] = valueInOrder(field.type, value);
  }
  return ordered;
}

function valueInOrder(type: GoType, value: Json): Json {
  if (type.is === "list" && Array.isArray(value)) return value.map((item) => valueInOrder(type.of, item));
  if (!isObject(value)) return value;
  if (type.is === "struct") return inGoOrder(type, value);
  if (type.is === "either") return valueInOrder(type.fits(value) ? type.first : type.second, value);
  const of: GoType = type.is === "map" ? type.of : { is: "json" };
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, valueInOrder(of, value[key] as Json)]),
  );
}
