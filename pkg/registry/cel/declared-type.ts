import {
  bool,
  bytes,
  double,
  duration,
  dyn,
  int,
  listOf,
  mapOf,
  string,
  struct,
  type Type,
  timestamp,
} from "./check/type.ts";
import { escapeField } from "./escaping.ts";
import { fieldsOf, mapValues, type ValueSchema } from "./value-schema.ts";

/**
 * The type that rules see a schema's values as; undefined where they may see nothing: what has no schema of its own.
 *
 * @param isResource - whether the values are whole objects
 * @param name - how messages name the type of an object
 */
export function declaredType(schema: ValueSchema, isResource: boolean, name: string): Type | undefined {
  if (schema.intOrString) return dyn;
  switch (schema.type) {
    case "array":
      return listType(schema, name);
    case "object":
      return objectType(schema, isResource, name);
    case "string":
      return textTypes.get(schema.format ?? "") ?? string;
    case "boolean":
      return bool;
    case "number":
      return double;
    case "integer":
      return int;
    default:
      return undefined;
  }
}

const textTypes: ReadonlyMap<string, Type> = new Map([
  ["byte", bytes],
  ["duration", duration],
  ["date", timestamp],
  ["date-time", timestamp],
]);

function listType({ items }: ValueSchema, name: string): Type | undefined {
  if (items === undefined) return undefined;
  const type = declaredType(items, items.embeddedResource, `${name}.@idx`);
  return type === undefined ? undefined : listOf(type);
}

function objectType(schema: ValueSchema, isResource: boolean, name: string): Type | undefined {
  const values = isResource ? undefined : mapValues(schema);
  if (values !== undefined) {
    const type = declaredType(values, values.embeddedResource, `${name}.@elem`);
    return type === undefined ? undefined : mapOf(string, type);
  }
  const fields = new Map<string, Type>();
  for (const [field, property] of fieldsOf(schema, isResource)) {
    const escaped = escapeField(field);
    if (escaped === undefined) continue;
    const type = declaredType(property, property.embeddedResource, `${name}.${escaped}`);
    if (type !== undefined) fields.set(escaped, type);
  }
  return struct(name, fields);
}
