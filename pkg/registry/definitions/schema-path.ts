import { isObject, type JsonObject } from "../json.ts";

/**
 * The schema at a path of fields like `.spec.color`, or why there is none. A field whose name is no word may stand in
 * brackets: `.spec['a-b']`.
 */
export function schemaAtPath(schema: JsonObject, jsonPath: string): JsonObject | string {
  const parts = /^((\.[A-Za-z_$][\w$]*)|(\['[^']+'\]))+$/.test(jsonPath)
    ? (jsonPath.match(/\.[A-Za-z_$][\w$]*|\['[^']+'\]/g) ?? []).map((part) =>
        part.startsWith(".") ? part.slice(1) : part.slice(2, -2),
      )
    : undefined;
  if (parts === undefined) return `expected [ or . but got: ${firstOddity(jsonPath)}`;
  let at = schema;
  for (const part of parts) {
    const properties = isObject(at.properties) ? at.properties : {};
    const next = Object.hasOwn(properties, part) ? properties[part] : undefined;
    if (!isObject(next)) return "does not refer to a valid field";
    at = next;
  }
  return at;
}

function firstOddity(jsonPath: string): string {
  return /^[A-Za-z_$][\w$]*/.exec(jsonPath)?.[0] ?? jsonPath.charAt(0);
}
