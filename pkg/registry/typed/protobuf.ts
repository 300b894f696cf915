import { type WireField, wireFields } from "../../encoding/protobuf.ts";
import type { Json, JsonObject } from "../json.ts";
import type { Field, GoType, StructType } from "./types.ts";

/**
 * A message of Kubernetes' as the JSON that says the same. It is to be read as such: what Go writes though it is empty
 * is still there.
 *
 * @throws SyntaxError in Go's words when the bytes are no such message
 */
export function readProtobuf(type: StructType, message: Uint8Array): JsonObject {
  const numbered = fieldsByNumber(type);
  const result: Record<string, Json> = {};
  for (const wire of wireFields(message)) {
    const found = numbered.get(wire.number);
    // What a newer client knows and this server does not.
    if (found === undefined) continue;
    const [name, field] = found;
    const value = readField(name, field.type, wire, result[name]);
    if (value !== undefined) result[name] = value;
  }
  return result;
}

const tables = new WeakMap<StructType, ReadonlyMap<number, readonly [string, Field]>>();

function fieldsByNumber(type: StructType): ReadonlyMap<number, readonly [string, Field]> {
  let table = tables.get(type);
  if (table === undefined) {
    table = new Map([...type.fields].map((entry) => [entry[1].number, entry]));
    tables.set(type, table);
  }
  return table;
}

/** @param before - what the same field has said already: lists and maps come item by item */
function readField(name: string, type: GoType, wire: WireField, before: Json | undefined): Json | undefined {
  switch (type.is) {
    case "int32":
    case "int64":
      return Number(varintOf(name, wire));
    case "bool":
      return varintOf(name, wire) !== 0n;
    case "string":
      return utf8(bytesOf(name, wire));
    case "bytes":
      return Buffer.from(bytesOf(name, wire)).toString("base64");
    case "time":
      return readTime(bytesOf(name, wire), type.micro);
    case "struct":
      return readProtobuf(type, bytesOf(name, wire));
    case "list": {
      const item = readField(name, type.of, wire, undefined);
      return [...((before ?? []) as readonly Json[]), ...(item === undefined ? [] : [item])];
    }
    case "map":
      return { ...((before ?? {}) as JsonObject), ...readEntry(name, type.of, bytesOf(name, wire)) };
    case "json":
      return readRaw(bytesOf(name, wire));
    case "float64":
    case "either":
      // Only in kinds that nobody sends as protobuf.
      return undefined;
  }
}

/** A map's entry: a message of key and value. A list as value is a message of its items. */
function readEntry(name: string, of: GoType, entry: Uint8Array): JsonObject {
  let key = "";
  let value: Json = of.is === "list" ? [] : of.is === "string" ? "" : null;
  for (const wire of wireFields(entry)) {
    if (wire.number === 1) key = utf8(bytesOf(name, wire));
    if (wire.number !== 2) continue;
    if (of.is === "list") {
      value = [...wireFields(bytesOf(name, wire))].map(
        (item) => readField(name, of.of, item, undefined) ?? null,
      );
    } else {
      value = readField(name, of, wire, undefined) ?? null;
    }
  }
  return key === "__proto__" ? {} : { [key]: value };
}

/** Seconds since the epoch, and nanoseconds; a message of neither is no time. */
function readTime(message: Uint8Array, micro: boolean): Json {
  if (message.length === 0) return null;
  let seconds = 0;
  let nanos = 0;
  for (const wire of wireFields(message)) {
    if (wire.number === 1) seconds = Number(varintOf("seconds", wire));
    if (wire.number === 2) nanos = Number(varintOf("nanos", wire));
  }
  const date = new Date(seconds * 1000);
  // Beyond the years 0 to 9999 there is no text for a time.
  const text = Number.isNaN(date.getTime()) ? "" : date.toISOString();
  if (!/^\d{4}-/.test(text)) throw new SyntaxError(`time: year outside of range [0,9999]: ${seconds}`);
  const whole = text.slice(0, 19);
  return micro
    ? `${whole}.${String(Math.floor(nanos / 1000))
        .padStart(6, "0")
        .slice(-6)}Z`
    : `${whole}Z`;
}

/** FieldsV1: a message whose first field is JSON. */
function readRaw(message: Uint8Array): Json | undefined {
  for (const wire of wireFields(message)) {
    if (wire.number === 1) return JSON.parse(utf8(bytesOf("Raw", wire))) as Json;
  }
  return undefined;
}

function varintOf(name: string, { varint }: WireField): bigint {
  if (varint === undefined) throw wrongType(name, 2);
  return varint;
}

function bytesOf(name: string, { bytes }: WireField): Uint8Array {
  if (bytes === undefined) throw wrongType(name, 0);
  return bytes;
}

function wrongType(name: string, wireType: number): SyntaxError {
  const field = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return new SyntaxError(`proto: wrong wireType = ${wireType} for field ${field}`);
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

/** Begins every body of this type, before a `runtime.Unknown` that holds the message and says what it is. */
const magic = [0x6b, 0x38, 0x73, 0x00];

/** A body of `application/vnd.kubernetes.protobuf`, opened. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly message: Uint8Array;
}

/** @throws SyntaxError when `body` is none */
export function openEnvelope(body: Uint8Array): Envelope {
  if (magic.some((byte, i) => body[i] !== byte)) {
    throw new SyntaxError(
      `provided data does not appear to be a protobuf message, expected prefix [${magic.join(" ")}]`,
    );
  }
  let apiVersion = "";
  let kind = "";
  let message: Uint8Array = new Uint8Array();
  for (const wire of wireFields(body.subarray(magic.length))) {
    if (wire.number === 2) message = bytesOf("raw", wire);
    if (wire.number !== 1) continue;
    for (const part of wireFields(bytesOf("typeMeta", wire))) {
      if (part.number === 1) apiVersion = utf8(bytesOf("apiVersion", part));
      if (part.number === 2) kind = utf8(bytesOf("kind", part));
    }
  }
  return { apiVersion, kind, message };
}
