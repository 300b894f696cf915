import { sameJson } from "../../api/same-json.ts";
import { writeJson } from "../../encoding/json.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { escapeField, unescapeField } from "./escaping.ts";
import { fieldsOf, mapValues, type ValueSchema } from "./value-schema.ts";
import { equal } from "./values/equality.ts";
import { itemsOf } from "./values/lists.ts";
import { CelDuration, parseDuration, parseTimestamp, Timestamp } from "./values/time.ts";
import {
  CelError,
  CelList,
  CelMap,
  charsPerToil,
  noSuchOverload,
  Opaque,
  type Value,
  type Work,
} from "./values/value.ts";

/**
 * A JSON value as rules see it through its schema: `integer` is an int even where JSON cannot tell, `date-time` a
 * timestamp, a list of a set or map type compares and adds as such. Nothing is converted before it is read.
 *
 * @param isResource - whether the value is a whole object, which has fields that its schema need not tell
 */
export function schemaValue(schema: ValueSchema, value: Json, isResource = schema.embeddedResource): Value {
  if (value === null) {
    return schema.nullable ? null : new CelError("invalid data, got null for schema with nullable=false");
  }
  if (schema.intOrString) return intOrString(value);
  switch (schema.type) {
    case "object":
      return isObject(value) ? new SchemaMap(schema, value, isResource) : wrong("a map", "object");
    case "array":
      if (!Array.isArray(value)) return wrong("an array", "array");
      return schema.items === undefined
        ? new CelError("invalid array type, expected Items with a non-empty Schema")
        : new SchemaList(schema, schema.items, value);
    case "string":
      return typeof value === "string" ? textValue(schema, value) : wrongKind("string", value);
    case "number":
      return typeof value === "number" || typeof value === "bigint"
        ? Number(value)
        : wrongKind("float", value);
    case "integer":
      return whole(value) ?? wrongKind("int", value);
    case "boolean":
      return typeof value === "boolean" ? value : wrongKind("bool", value);
    default:
      return schema.preserveUnknown ? new Unknown(value) : new CelError("invalid type");
  }
}

function wrong(expected: string, type: string): CelError {
  return new CelError(`invalid data, expected ${expected} for the provided schema with type=${type}`);
}

function wrongKind(expected: string, value: Json): CelError {
  return new CelError(
    `invalid data, expected ${expected}, got ${Array.isArray(value) ? "array" : typeof value}`,
  );
}

function whole(value: Json): bigint | undefined {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : undefined;
}

function intOrString(value: Json): Value {
  const number = whole(value);
  if (number !== undefined) return number;
  if (typeof value === "string") return value;
  return new CelError("invalid data, expected XIntOrString value to be either a string or integer");
}

function textValue({ format }: ValueSchema, text: string): Value {
  switch (format) {
    case "date-time":
      return (
        parseTimestamp(text.replace(" ", "T")) ?? new CelError(`Invalid date-time formatted string ${text}`)
      );
    case "date":
      return parseTimestamp(`${text}T00:00:00Z`) ?? new CelError(`Invalid date formatted string ${text}`);
    case "duration":
      return parseDuration(text) ?? wordyDuration(text) ?? new CelError(`Invalid duration ${text}`);
    case "byte":
      return new Uint8Array(Buffer.from(text, "base64"));
    default:
      return text;
  }
}

const unitSeconds: readonly (readonly [RegExp, bigint])[] = [
  [/^(ns|nanos?)$/, 1n],
  [/^(us|micros?)$/, 1_000n],
  [/^(ms|millis?)$/, 1_000_000n],
  [/^(s|secs?|seconds?)$/, 1_000_000_000n],
  [/^(m|mins?|minutes?)$/, 60_000_000_000n],
  [/^(h|hrs?|hours?)$/, 3_600_000_000_000n],
  [/^(d|days?)$/, 86_400_000_000_000n],
  [/^(w|wks?|weeks?)$/, 604_800_000_000_000n],
];

/** `3 weeks`: a format that a schema takes beside Go's. */
function wordyDuration(text: string): CelDuration | undefined {
  const [, count = "", unit = ""] = /^(\d+)\s*([a-z]+)$/.exec(text) ?? [];
  const nanos = unitSeconds.find(([pattern]) => pattern.test(unit))?.[1];
  return nanos === undefined ? undefined : new CelDuration(BigInt(count) * nanos);
}

/** What has no schema: it can be compared, and no more. */
class Unknown extends Opaque {
  readonly typeName = "unknown";
  readonly json: Json;

  constructor(json: Json) {
    super();
    this.json = json;
  }

  equals(other: Unknown): boolean {
    return sameJson(this.json, other.json);
  }
}

class SchemaMap extends CelMap {
  readonly json: JsonObject;
  readonly #fields: ReadonlyMap<string, ValueSchema>;
  readonly #values: ValueSchema | undefined;
  /** Views already made, so that what they found out stays known. */
  readonly #views = new Map<string, Value>();
  #keys: readonly string[] | undefined;

  constructor(schema: ValueSchema, json: JsonObject, isResource: boolean) {
    super();
    this.json = json;
    this.#fields = fieldsOf(schema, isResource);
    this.#values = isResource ? undefined : mapValues(schema);
  }

  get size(): number {
    return this.#names.length;
  }

  find(key: Value): Value | undefined {
    if (typeof key !== "string") return key instanceof CelError ? key : noSuchOverload;
    if (this.#values !== undefined) {
      const value = Object.hasOwn(this.json, key) ? this.json[key] : undefined;
      return value === undefined ? undefined : this.#view(key, this.#values, value);
    }
    const field = unescapeField(key);
    return field === undefined ? undefined : this.field(field);
  }

  /** A field by its own name. A null counts as absent. */
  field(field: string): Value | undefined {
    const value = Object.hasOwn(this.json, field) ? this.json[field] : undefined;
    const schema = this.#fields.get(field);
    if (value === undefined || value === null || schema === undefined) return undefined;
    return this.#view(field, schema, value);
  }

  keys(): readonly Value[] {
    if (this.#values !== undefined) return this.#names;
    return this.#names.filter((key) => this.#fields.has(key)).map((key) => escapeField(key) ?? key);
  }

  get #names(): readonly string[] {
    this.#keys ??= Object.keys(this.json);
    return this.#keys;
  }

  #view(key: string, schema: ValueSchema, value: Json): Value {
    if (typeof value !== "object") return schemaValue(schema, value);
    let view = this.#views.get(key);
    if (view === undefined) {
      view = schemaValue(schema, value);
      this.#views.set(key, view);
    }
    return view;
  }

  override equals(other: CelMap, work: Work): Value | undefined {
    if (!(other instanceof SchemaMap)) return undefined;
    if (other.json === this.json) return true;
    if (this.size !== other.size) return false;
    for (const key of this.#names) {
      work.toil(1);
      const known = this.#values !== undefined || this.#fields.has(key);
      const same = known ? equalAt(this, other, key, work) : equalUnknown(this.json, other.json, key, work);
      if (same !== true) return same;
    }
    return true;
  }

  at(key: string): Value | undefined {
    return this.#values === undefined ? this.field(key) : this.find(key);
  }
}

function equalAt(left: SchemaMap, right: SchemaMap, key: string, work: Work): Value {
  const [a, b] = [left.at(key), right.at(key)];
  if (a === undefined || b === undefined) return a === b;
  return equal(a, b, work);
}

/** A field without a schema is compared only where both have it. */
function equalUnknown(left: JsonObject, right: JsonObject, key: string, work: Work): boolean {
  const [a, b] = [left[key], right[key]];
  if (a === b || b === undefined) return true;
  work.toil(writeJson(a).length / charsPerToil);
  return sameJson(a, b);
}

/** A list of a set or map type, or what such a list and another add up to. */
abstract class KeyedList extends CelList {
  readonly schema: ValueSchema;

  constructor(schema: ValueSchema) {
    super();
    this.schema = schema;
  }

  override equals(other: CelList, work: Work): Value | undefined {
    if (this.schema.listType === "atomic") return undefined;
    if (this.size !== other.size) return false;
    const [mine, theirs] = [this.#byIdentity(this, work), this.#byIdentity(other, work)];
    if (mine instanceof CelError) return mine;
    if (theirs instanceof CelError) return theirs;
    if (mine.size !== theirs.size) return false;
    for (const [identity, item] of mine) {
      const match = theirs.get(identity);
      if (match === undefined) return false;
      const same = this.schema.listType === "set" ? true : equal(item, match, work);
      if (same !== true) return same;
    }
    return true;
  }

  /** A set's union, or a map's merge: items of `other` take the places of those that they are. */
  override plus(other: CelList, work: Work): CelList | CelError | undefined {
    if (this.schema.listType === "atomic") return undefined;
    const [merged, added] = [this.#byIdentity(this, work), this.#byIdentity(other, work)];
    if (merged instanceof CelError) return merged;
    if (added instanceof CelError) return added;
    for (const [identity, item] of added) {
      if (this.schema.listType === "map" || !merged.has(identity)) merged.set(identity, item);
    }
    return new MergedList(this.schema, [...merged.values()]);
  }

  /** Items by what makes them themselves: a set's by their values, a map's by the values of its keys. */
  #byIdentity(list: CelList, work: Work): Map<string, Value> | CelError {
    const found = new Map<string, Value>();
    const isSet = this.schema.listType === "set";
    for (const item of itemsOf(list)) {
      if (isSet && (item instanceof CelList || item instanceof CelMap)) {
        return new CelError("listSet operations are only supported on lists of scalar values");
      }
      const identity = isSet ? identityOf(item) : this.#keysOf(item);
      work.toil(identity.length / charsPerToil + 1);
      found.set(identity, item);
    }
    return found;
  }

  #keysOf(item: Value): string {
    const keys = this.schema.listMapKeys;
    if (item instanceof SchemaMap) return keys.map((key) => identityOf(item.field(key) ?? null)).join();
    if (!(item instanceof CelMap)) return identityOf(item);
    return keys.map((key) => identityOf(item.find(escapeField(key) ?? key) ?? null)).join();
  }
}

class SchemaList extends KeyedList {
  readonly json: readonly Json[];
  readonly #items: ValueSchema;
  readonly #views: Value[] = [];

  constructor(schema: ValueSchema, items: ValueSchema, json: readonly Json[]) {
    super(schema);
    this.json = json;
    this.#items = items;
  }

  get size(): number {
    return this.json.length;
  }

  get(index: number): Value {
    const item = this.json[index] as Json;
    if (typeof item !== "object") return schemaValue(this.#items, item);
    this.#views[index] ??= schemaValue(this.#items, item);
    return this.#views[index];
  }

  override equals(other: CelList, work: Work): Value | undefined {
    return other instanceof SchemaList && other.json === this.json ? true : super.equals(other, work);
  }
}

class MergedList extends KeyedList {
  readonly #items: readonly Value[];

  constructor(schema: ValueSchema, items: readonly Value[]) {
    super(schema);
    this.#items = items;
  }

  get size(): number {
    return this.#items.length;
  }

  get(index: number): Value {
    return this.#items[index] as Value;
  }
}

/** A text that is the same for equal values and for no others. */
function identityOf(value: Value): string {
  if (value === null || typeof value !== "object") {
    return typeof value === "number" && Number.isInteger(value) ? `${BigInt(value)}` : plainIdentity(value);
  }
  if (value instanceof Timestamp) return `t${value.epochNanos}`;
  if (value instanceof CelDuration) return `d${value.nanos}`;
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString("base64")}`;
  if (value instanceof CelList) return `[${Array.from(itemsOf(value), identityOf).join()}]`;
  if (value instanceof CelMap) {
    const entries = value.keys().map((key) => `${identityOf(key)}:${identityOf(value.find(key) ?? null)}`);
    return `{${entries.sort().join()}}`;
  }
  return String(value);
}

function plainIdentity(value: Value): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
