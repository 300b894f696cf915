import { isObject, type Json, type JsonObject } from "../json.ts";
import type { Schema } from "./schema.ts";

/**
 * `value` pruned of what the schema does not know and filled with its defaults; words that YAML took for booleans are
 * words again.
 *
 * Parts that are frozen and need no change are shared; everything else is copied, so that the result may be
 * frozen without freezing anything of the caller's.
 *
 * @param dropped - receives the path of each pruned field
 */
export function normalize(schema: Schema, value: Json, path: string, dropped?: string[]): Json {
  if (Array.isArray(value)) return normalizeList(schema, value, path, dropped);
  if (isObject(value)) return normalizeObject(schema, value, path, dropped);
  if (typeof value === "boolean") return meantWord(schema, value) ?? value;
  return value;
}

/** What YAML 1.1, kubectl's, takes for a boolean. */
const words = { true: /^(?:y|yes|on|true)$/i, false: /^(?:n|no|off|false)$/i };

/**
 * The word that a person wrote without quotes where only some words are allowed: `sandbox: Off` arrives as false. A
 * boolean would be refused there, so nothing else can be meant; kube-apiserver leaves it at the refusal.
 */
function meantWord(schema: Schema, value: boolean): string | undefined {
  if (schema.type !== "string" || schema.enum === undefined) return undefined;
  const meant = schema.enum.filter((word) => typeof word === "string" && words[`${value}`].test(word));
  return meant.length === 1 ? (meant[0] as string) : undefined;
}

function normalizeList(schema: Schema, list: readonly Json[], path: string, dropped?: string[]): Json {
  let same = Object.isFrozen(list);
  const result = list.map((item, i) => {
    const next = normalizeItem(schema, item, `${path}[${i}]`, dropped);
    if (next !== item) same = false;
    return next;
  });
  return same ? list : result;
}

function normalizeItem(schema: Schema, item: Json, path: string, dropped?: string[]): Json {
  const items = schema.items ?? (schema.preserveUnknown ? preserveAll : pruneAll);
  if (item === null && items.default !== undefined && !items.nullable) return items.default;
  return normalize(items, item, path, dropped);
}

function normalizeObject(schema: Schema, object: JsonObject, path: string, dropped?: string[]): Json {
  let same = Object.isFrozen(object);
  const result: Record<string, Json> = {};
  for (const key of Object.keys(object)) {
    const value = object[key];
    const known = value === undefined || key === "__proto__" ? undefined : schemaOf(schema, key);
    if (known === undefined || value === undefined) {
      if (value !== undefined) dropped?.push(path === "" ? key : `${path}.${key}`);
      same = false;
      continue;
    }
    // A null that is not allowed counts as absent, and may so become the default.
    if (value === null && !known.nullable) {
      same = false;
      continue;
    }
    const next = normalize(known, value, path === "" ? key : `${path}.${key}`, dropped);
    if (next !== value) same = false;
    result[key] = next;
  }
  for (const [key, property] of schema.properties) {
    if (property.default === undefined || Object.hasOwn(result, key)) continue;
    result[key] = normalize(property, property.default, `${path}.${key}`);
    same = false;
  }
  return same ? object : result;
}

function schemaOf(schema: Schema, key: string): Schema | undefined {
  const declared = schema.properties.get(key) ?? schema.additionalProperties;
  if (declared !== undefined) return declared;
  if (schema.embeddedResource && (key === "apiVersion" || key === "kind" || key === "metadata"))
    return preserveAll;
  return schema.preserveUnknown ? preserveAll : undefined;
}

const pruneAll: Schema = {
  type: undefined,
  format: undefined,
  nullable: true,
  intOrString: false,
  preserveUnknown: false,
  embeddedResource: false,
  default: undefined,
  properties: new Map(),
  additionalProperties: undefined,
  items: undefined,
  listType: "atomic",
  listMapKeys: [],
  required: [],
  enum: undefined,
  minimum: undefined,
  maximum: undefined,
  exclusiveMinimum: false,
  exclusiveMaximum: false,
  multipleOf: undefined,
  minLength: undefined,
  maxLength: undefined,
  pattern: undefined,
  minItems: undefined,
  maxItems: undefined,
  minProperties: undefined,
  maxProperties: undefined,
  allOf: [],
  anyOf: [],
  oneOf: [],
  not: undefined,
  rules: undefined,
};

/** Unknown fields are kept all the way down. */
const preserveAll: Schema = { ...pruneAll, preserveUnknown: true };
