import { quote } from "../field-error.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { objectMeta } from "../typed/kinds/meta.ts";
import { readTyped } from "../typed/read.ts";
import { compileSchema, type Schema } from "./schema.ts";

/** The paths of unknown fields that were left out. */
export interface Dropped {
  /** Of fields that the schema does not know. */
  readonly dropped: string[];
  /** Of metadata of embedded resources, of which only what all objects have is known. */
  readonly embedded: string[];
}

/**
 * `value` pruned of what the schema does not know and filled with its defaults; words that YAML took for booleans are
 * words again.
 *
 * Parts that are frozen and need no change are shared; everything else is copied, so that the result may be
 * frozen without freezing anything of the caller's.
 *
 * @param known - an earlier result: the parts that `value` has of it, each at its place, are not looked at
 * @param isOwn - `value` was made for this call and nobody else has it: what needs no change is shared, frozen or not
 * @throws TypeError when an embedded resource has metadata of the wrong type, in kube-apiserver's words
 */
export function normalize(
  schema: Schema,
  value: Json,
  path: string,
  dropped?: Dropped,
  known?: Json,
  isOwn = false,
): Json {
  if (known !== undefined && value === known) return value;
  if (Array.isArray(value)) return normalizeList(schema, value, path, dropped, known, isOwn);
  if (isObject(value)) return normalizeObject(schema, value, path, dropped, known, isOwn);
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

function normalizeList(
  schema: Schema,
  list: readonly Json[],
  path: string,
  dropped: Dropped | undefined,
  known: Json | undefined,
  isOwn: boolean,
): Json {
  const before = Array.isArray(known) ? known : undefined;
  const items = schema.items ?? (schema.preserveUnknown ? preserveAll : pruneAll);
  let same = isOwn || Object.isFrozen(list);
  const result = list.map((item, i) => {
    const next =
      item === null ? nullFor(items) : normalize(items, item, `${path}[${i}]`, dropped, before?.[i], isOwn);
    if (next !== item) same = false;
    return next;
  });
  return same ? list : result;
}

function normalizeObject(
  schema: Schema,
  object: JsonObject,
  path: string,
  dropped: Dropped | undefined,
  known: Json | undefined,
  isOwn: boolean,
): Json {
  const before = isObject(known) ? known : undefined;
  const keys = Object.keys(object);
  // Made where something first differs: most objects are as they should be.
  let result: Record<string, Json> | undefined = isOwn || Object.isFrozen(object) ? undefined : {};
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at] as string;
    const value = object[key];
    if (value === undefined) continue;
    const below = path === "" ? key : `${path}.${key}`;
    const property = key === "__proto__" ? undefined : schemaOf(schema, key);
    if (property === undefined) dropped?.dropped.push(below);
    const next =
      // A null that is not allowed counts as absent, and may so become the default.
      property === undefined || (value === null && !property.nullable && property.default === undefined)
        ? undefined
        : schema.embeddedResource
          ? normalizeEmbedded(property, key, value, below, dropped)
          : value === null
            ? nullFor(property)
            : normalize(property, value, below, dropped, before?.[key], isOwn);
    if (next !== value) result ??= withKeys(object, keys.slice(0, at));
    if (result !== undefined && next !== undefined) result[key] = next;
  }
  for (const [key, property] of schema.properties) {
    if (property.default === undefined || isGiven(result ?? object, key)) continue;
    result ??= withKeys(object, keys);
    result[key] = defaultOf(property, property.default);
  }
  return result ?? object;
}

/** What `object` says at `keys`. */
function withKeys(object: JsonObject, keys: readonly string[]): Record<string, Json> {
  const result: Record<string, Json> = {};
  for (const key of keys) {
    const value = object[key];
    if (value !== undefined) result[key] = value;
  }
  return result;
}

function isGiven(object: JsonObject, key: string): boolean {
  return Object.hasOwn(object, key) && object[key] !== undefined;
}

/** What a null becomes: the default where it is not allowed and there is one. */
function nullFor(schema: Schema): Json {
  return schema.nullable || schema.default === undefined ? null : defaultOf(schema, schema.default);
}

/** A default, filled with those beneath it. */
function defaultOf(schema: Schema, declared: Json): Json {
  return normalize(schema, declared, "");
}

/** A field of an object within an object: what says of which kind it is is text, and its metadata is like all metadata. */
function normalizeEmbedded(
  schema: Schema,
  key: string,
  value: Json,
  path: string,
  dropped: Dropped | undefined,
): Json {
  if (key === "apiVersion" || key === "kind") {
    if (typeof value !== "string")
      throw new TypeError(`${path}: Invalid value: ${quote(value)}: must be a string`);
    return value;
  }
  if (key !== "metadata") return value === null ? nullFor(schema) : normalize(schema, value, path, dropped);
  const unknown: string[] = [];
  try {
    const metadata = value === null ? {} : value;
    if (!isObject(metadata))
      throw new TypeError("json: cannot unmarshal into Go value of type v1.ObjectMeta");
    return readTyped(objectMeta, metadata, unknown);
  } catch (error) {
    throw new TypeError(`${path}: Invalid value: ${quote(value)}: ${(error as Error).message}`);
  } finally {
    dropped?.embedded.push(...unknown.map((field) => `${path}.${field}`));
  }
}

function schemaOf(schema: Schema, key: string): Schema | undefined {
  const declared = schema.properties.get(key) ?? schema.additionalProperties;
  if (declared !== undefined) return declared;
  if (schema.embeddedResource && (key === "apiVersion" || key === "kind" || key === "metadata"))
    return preserveAll;
  return schema.preserveUnknown ? preserveAll : undefined;
}

const pruneAll = compileSchema({ nullable: true });

/** Unknown fields are kept all the way down. */
const preserveAll = compileSchema({ nullable: true, "x-kubernetes-preserve-unknown-fields": true });
