import { expect, test } from "vitest";
import { builtinResources } from "../../registry/builtin-resources.ts";
import { isObject, type Json, type JsonObject } from "../../registry/json.ts";
import type { GoType, ListType } from "../../registry/typed/types.ts";
import { knownDefinitions } from "./definitions.ts";
import { schemaName } from "./kind-schema.ts";

test.each(builtinResources.map((resource) => [schemaName(resource, resource.kind), resource] as const))(
  "%s is published as the registry takes it",
  (name, { builtin }) => {
    const schema = knownDefinitions[name] ?? {};
    const { apiVersion, kind, ...properties } = schema.properties as Record<string, JsonObject>;

    expect([apiVersion?.type, kind?.type]).toEqual(["string", "string"]);
    expect(outline({ ...schema, properties }, [])).toEqual(typeOutline(builtin?.type, []));
  },
);

test("every schema that another names is there", () => {
  const named = JSON.stringify(knownDefinitions).matchAll(/"#\/components\/schemas\/([^"]+)"/g);

  expect(Object.keys(knownDefinitions)).toEqual(expect.arrayContaining([...named].map(([, name]) => name)));
});

/** What a published schema says of how values are made, merged and applied; "any" of what it leaves open. */
function outline(schema: JsonObject, within: readonly string[]): Json {
  const name = referred(schema);
  if (name !== undefined) {
    if (within.includes(name)) return "recursive";
    return outline(knownDefinitions[name] ?? {}, [...within, name]);
  }
  if (isObject(schema.properties)) {
    const fields = Object.entries(schema.properties).map(([field, part]): [string, Json] => [
      field,
      outline(part as JsonObject, within),
    ]);
    return { fields: Object.fromEntries(fields), atomic: schema["x-kubernetes-map-type"] === "atomic" };
  }
  if (schema.type === "array") {
    return {
      items: outline(schema.items as JsonObject, within),
      listType: schema["x-kubernetes-list-type"] ?? "atomic",
      keys: schema["x-kubernetes-list-map-keys"] ?? [],
    };
  }
  if (isObject(schema.additionalProperties)) return { map: outline(schema.additionalProperties, within) };
  if (schema.type === undefined || schema.type === "object") return "any";
  return [schema.type, schema.format ?? ""];
}

function referred({ $ref, allOf }: JsonObject): string | undefined {
  const [first] = Array.isArray(allOf) ? allOf : [];
  const reference = $ref ?? (isObject(first) ? first.$ref : undefined);
  return typeof reference === "string" ? reference.slice("#/components/schemas/".length) : undefined;
}

/** The same of what the registry's tables say. */
function typeOutline(type: GoType | undefined, within: readonly GoType[]): Json {
  switch (type?.is) {
    case "struct": {
      if (within.includes(type)) return "recursive";
      if (type.fields.size === 0) return "any";
      const inside = [...within, type];
      const fields = [...type.fields].map(([name, field]): [string, Json] => [
        name,
        typeOutline(field.type, inside),
      ]);
      return { fields: Object.fromEntries(fields), atomic: type.atomic };
    }
    case "list":
      return listOutline(type, within);
    case "map":
      return { map: typeOutline(type.of, within) };
    case "time":
      return ["string", "date-time"];
    case "int32":
    case "int64":
      return ["integer", type.is];
    case "float64":
      return ["number", "double"];
    case "bool":
      return ["boolean", ""];
    case "string":
      return ["string", ""];
    case "bytes":
      return ["string", "byte"];
    default:
      return "any";
  }
}

function listOutline({ of, listType, listMapKeys }: ListType, within: readonly GoType[]): Json {
  return { items: typeOutline(of, within), listType, keys: [...listMapKeys] };
}
