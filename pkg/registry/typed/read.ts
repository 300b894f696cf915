import { isObject, type Json, type JsonObject } from "../json.ts";
import { parseTime } from "./time.ts";
import type { Field, GoType, StructType } from "./types.ts";

/**
 * `value` as Kubernetes' JSON decoder reads it into `type` and writes it again: fields in order, what is empty left out
 * or put in, times in UTC, unknown fields dropped. Frozen parts that need no change are shared.
 *
 * @param dropped - receives the path of each unknown field
 * @throws TypeError in Go's words when a value has the wrong type
 */
export function readTyped(type: StructType, value: JsonObject, dropped?: string[]): JsonObject {
  return readStruct(type, value, { path: "", goPath: "", owner: type.name, dropped });
}

interface At {
  /** `spec.versions[0].name`, for what is dropped. */
  readonly path: string;
  /** Without indexes, as Go's errors have it. */
  readonly goPath: string;
  /** The struct that holds the field. */
  readonly owner: string;
  readonly dropped: string[] | undefined;
}

function readStruct(type: StructType, value: JsonObject, at: At): JsonObject {
  let same = Object.isFrozen(value);
  if (at.dropped !== undefined || same) {
    for (const key of Object.keys(value)) {
      if (type.fields.has(key)) continue;
      same = false;
      at.dropped?.push(at.path === "" ? key : `${at.path}.${key}`);
    }
  }
  const result: Record<string, Json> = {};
  for (const [name, field] of type.fields) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    const read = readField(field, given, {
      path: at.path === "" ? name : `${at.path}.${name}`,
      goPath: at.goPath === "" ? name : `${at.goPath}.${name}`,
      owner: type.name,
      dropped: at.dropped,
    });
    if (read !== given) same = false;
    if (read !== undefined) result[name] = read;
  }
  return same ? value : result;
}

function readField({ type, presence }: Field, given: Json | undefined, at: At): Json | undefined {
  if (given === undefined || given === null) return presence === "pointer" ? undefined : zero(type, presence);
  const value = read(type, given, at);
  return presence === "omitempty" && isEmpty(type, value) ? undefined : value;
}

/** What Go writes for a field that was not set; undefined: nothing. */
function zero(type: GoType, presence: "omitempty" | "always"): Json | undefined {
  if (type.is === "struct")
    return readStruct(type, {}, { path: "", goPath: "", owner: type.name, dropped: undefined });
  if (type.is === "time") return null;
  if (presence === "omitempty") return undefined;
  switch (type.is) {
    case "string":
      return "";
    case "bool":
      return false;
    case "int32":
    case "int64":
    case "float64":
      return 0;
    default:
      return null;
  }
}

function isEmpty(type: GoType, value: Json): boolean {
  switch (type.is) {
    case "list":
      return Array.isArray(value) && value.length === 0;
    case "map":
      return isObject(value) && Object.keys(value).length === 0;
    case "string":
    case "bytes":
      return value === "";
    case "bool":
      return value === false;
    case "int32":
    case "int64":
    case "float64":
      return value === 0;
    default:
      return false;
  }
}

function read(type: GoType, value: Json, at: At): Json {
  switch (type.is) {
    case "json":
      return value;
    case "struct":
      if (!isObject(value)) throw mismatch(value, at, `v1.${type.name}`);
      return readStruct(type, value, at);
    case "list":
      if (!Array.isArray(value)) throw mismatch(value, at, goName(type));
      return readItems(type.of, value, at);
    case "map":
      if (!isObject(value)) throw mismatch(value, at, goName(type));
      return readValues(type.of, value, at);
    case "either":
      return read(type.fits(value) ? type.first : type.second, value, at);
    case "time":
      if (typeof value !== "string") throw mismatch(value, at, "string");
      return parseTime(value, type.micro);
    case "int32":
    case "int64":
      if (typeof value === "bigint" && type.is === "int64") return value;
      if (typeof value !== "number") throw mismatch(value, at, type.is);
      if (!Number.isInteger(value) || (type.is === "int32" && value !== (value | 0))) {
        throw new TypeError(text(`number ${value}`, at, type.is));
      }
      return value;
    case "float64":
      if (typeof value === "bigint") return Number(value);
      if (typeof value !== "number") throw mismatch(value, at, type.is);
      return value;
    case "bool":
      if (typeof value !== "boolean") throw mismatch(value, at, type.is);
      return value;
    case "string":
    case "bytes":
      if (typeof value !== "string") throw mismatch(value, at, goName(type));
      return value;
  }
}

function readItems(of: GoType, list: readonly Json[], at: At): Json {
  let same = Object.isFrozen(list);
  const result = list.map((item, i) => {
    const next =
      item === null ? (zero(of, "always") ?? null) : read(of, item, { ...at, path: `${at.path}[${i}]` });
    if (next !== item) same = false;
    return next;
  });
  return same ? list : result;
}

function readValues(of: GoType, values: JsonObject, at: At): Json {
  let same = Object.isFrozen(values);
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(values)) {
    const below = { ...at, path: `${at.path}.${key}` };
    const next = value === null ? (zero(of, "always") ?? null) : read(of, value, below);
    if (next !== value) same = false;
    result[key] = next;
  }
  return same ? values : result;
}

function mismatch(value: Json, at: At, expected: string): TypeError {
  const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : numberOr(typeof value);
  return new TypeError(text(found, at, expected));
}

function numberOr(type: string): string {
  return type === "bigint" ? "number" : type;
}

function text(found: string, at: At, expected: string): string {
  return `json: cannot unmarshal ${found} into Go struct field ${at.owner}.${at.goPath} of type ${expected}`;
}

function goName(type: GoType): string {
  switch (type.is) {
    case "list":
      return `[]${goName(type.of)}`;
    case "map":
      return `map[string]${goName(type.of)}`;
    case "struct":
      return `v1.${type.name}`;
    case "bytes":
      return "[]uint8";
    case "string":
      return type.name ?? type.is;
    default:
      return type.is;
  }
}
