import { isObject, type Json } from "../json.ts";
import type { Schema } from "../schema/schema.ts";

/**
 * A JSON value as CEL sees it through its schema: `integer` is a BigInt (a plain number is CEL's double), `date-time`
 * a timestamp. What needs no conversion is shared with the input.
 */
export function celValue(schema: Schema | undefined, value: Json): unknown {
  if (schema === undefined || value === null) return value;
  if (typeof value === "number") {
    const integer = schema.type === "integer" || (schema.intOrString && Number.isInteger(value));
    return integer ? BigInt(Math.trunc(value)) : value;
  }
  if (typeof value === "string") {
    if (schema.format !== "date-time") return value;
    const date = new Date(value);
    return Number.isNaN(date.getTime()) ? value : date;
  }
  if (!schema.celDiffers) return value;
  if (Array.isArray(value)) return value.map((item) => celValue(schema.items, item));
  if (!isObject(value)) return value;
  const converted: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    converted[key] = celValue(schema.properties.get(key) ?? schema.additionalProperties, value[key] as Json);
  }
  return converted;
}
