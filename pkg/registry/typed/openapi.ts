import type { JsonObject } from "../json.ts";
import type { Field, GoType, StructType } from "./types.ts";

/**
 * The OpenAPI v3 schema of a struct, without texts, whole: structs within it are written out. One that has itself in
 * it ends at the second level, as an object whose fields are free.
 */
export function openApiSchema(type: StructType): JsonObject {
  return schemaOf(type, []) as JsonObject;
}

type Mutable = { -readonly [K in keyof JsonObject]: JsonObject[K] };

function schemaOf(type: GoType, within: readonly GoType[]): JsonObject {
  switch (type.is) {
    case "struct": {
      if (within.includes(type)) return { type: "object", "x-kubernetes-preserve-unknown-fields": true };
      const properties: Record<string, JsonObject> = {};
      const inside = [...within, type];
      for (const [name, field] of type.fields) properties[name] = property(field, inside);
      return {
        type: "object",
        properties,
        ...(type.atomic ? { "x-kubernetes-map-type": "atomic" } : {}),
      };
    }
    case "list":
      return { type: "array", items: schemaOf(type.of, within) };
    case "map":
      return { type: "object", additionalProperties: schemaOf(type.of, within) };
    case "time":
      return { type: "string", format: "date-time" };
    case "int32":
    case "int64":
      return { type: "integer", format: type.is };
    case "float64":
      return { type: "number", format: "double" };
    case "bool":
      return { type: "boolean" };
    case "string":
      return { type: "string" };
    case "bytes":
      return { type: "string", format: "byte" };
    case "json":
    case "either":
      return { "x-kubernetes-preserve-unknown-fields": true };
  }
}

function property({ type }: Field, within: readonly GoType[]): JsonObject {
  const schema: Mutable = { ...schemaOf(type, within) };
  if (type.is !== "list") return schema;
  if (type.mergeKey !== undefined) schema["x-kubernetes-patch-strategy"] = "merge";
  if (type.mergeKey) schema["x-kubernetes-patch-merge-key"] = type.mergeKey;
  schema["x-kubernetes-list-type"] = type.listType;
  if (type.listMapKeys.length > 0) schema["x-kubernetes-list-map-keys"] = [...type.listMapKeys];
  return schema;
}
