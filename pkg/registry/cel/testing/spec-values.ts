import { isObject, type Json, type JsonObject } from "../../json.ts";
import {
  bool,
  bytes,
  double,
  duration,
  dyn,
  int,
  listOf,
  mapOf,
  nullType,
  string,
  type Type,
  timestamp,
  typeOf,
  uint,
} from "../check/type.ts";
import { ArrayList } from "../values/lists.ts";
import { EntryMap } from "../values/maps.ts";
import { parseDuration, parseTimestamp } from "../values/time.ts";
import { Uint } from "../values/uint.ts";
import { TypeName, type Value } from "../values/value.ts";

/** A value of the specification's test data (cel.expr.Value as JSON); undefined for one of a protocol buffer's. */
export function specValue(json: JsonObject): Value | undefined {
  const [[kind, content] = []] = Object.entries(json);
  const text = String(content);
  switch (kind) {
    case "nullValue":
      return null;
    case "boolValue":
      return content === true;
    case "int64Value":
      return BigInt(text);
    case "uint64Value":
      return new Uint(BigInt(text));
    case "doubleValue":
      return Number(content);
    case "stringValue":
      return text;
    case "bytesValue":
      return new Uint8Array(Buffer.from(text, "base64"));
    case "typeValue":
      return new TypeName(text);
    case "listValue":
      return listValue(content as JsonObject);
    case "mapValue":
      return mapValue(content as JsonObject);
    case "objectValue":
      return messageValue(content as JsonObject);
    default:
      return undefined;
  }
}

/** A type of the test data; undefined for a protocol buffer's. */
export function specType(json: JsonObject): Type | undefined {
  if (typeof json.primitive === "string") return primitives[json.primitive];
  if (json.wellKnown === "TIMESTAMP") return timestamp;
  if (json.wellKnown === "DURATION") return duration;
  if ("dyn" in json || json.wellKnown === "ANY") return dyn;
  if ("null" in json) return nullType;
  if ("type" in json) return typeOf(dyn);
  if (isObject(json.listType)) {
    const item = isObject(json.listType.elemType) ? specType(json.listType.elemType) : dyn;
    return item === undefined ? undefined : listOf(item);
  }
  if (!isObject(json.mapType)) return undefined;
  const [key, value] = [json.mapType.keyType, json.mapType.valueType].map((of) => specType(of as JsonObject));
  return key === undefined || value === undefined ? undefined : mapOf(key, value);
}

const primitives: Readonly<Record<string, Type>> = {
  BOOL: bool,
  BYTES: bytes,
  DOUBLE: double,
  INT64: int,
  STRING: string,
  UINT64: uint,
};

function listValue({ values = [] }: JsonObject): Value | undefined {
  const items = (values as readonly Json[]).map((item) => specValue(item as JsonObject));
  return items.every((item) => item !== undefined) ? new ArrayList(items) : undefined;
}

function mapValue({ entries = [] }: JsonObject): Value | undefined {
  const map = new EntryMap();
  for (const entry of entries as readonly JsonObject[]) {
    const [key, value] = [entry.key, entry.value].map((part) => specValue(part as JsonObject));
    if (key === undefined || value === undefined) return undefined;
    map.insert(key, value);
  }
  return map;
}

function messageValue({ "@type": type, value }: JsonObject): Value | undefined {
  if (type === "type.googleapis.com/google.protobuf.Timestamp") return parseTimestamp(String(value));
  return type === "type.googleapis.com/google.protobuf.Duration" ? parseDuration(String(value)) : undefined;
}
