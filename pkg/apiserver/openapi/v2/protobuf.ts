/**
 * An OpenAPI v2 document as the protobuf message that clients in Go ask for.
 *
 * @see github.com/google/gnostic, openapiv2/OpenAPIv2.proto, for the messages and their numbers
 */
import { writeJson } from "../../../encoding/json.ts";
import { isObject, type Json, type JsonObject } from "../../../registry/json.ts";

/** The message `openapi.v2.Document`. */
export function encodeSwagger({ swagger, info, paths, definitions }: JsonObject): Buffer {
  const { title, version } = info as JsonObject;
  return Buffer.concat([
    text(1, swagger),
    message(2, Buffer.concat([text(1, title), text(2, version)])),
    message(8, named(2, paths, pathItem)),
    message(9, named(1, definitions, schema)),
  ]);
}

function pathItem(item: JsonObject): Buffer {
  const methods = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };
  return Buffer.concat([
    ...Object.entries(methods).map(([method, number]) => optional(number, item[method], operation)),
    ...list(item.parameters).map((one) => message(9, parameter(one as JsonObject))),
  ]);
}

function operation(of: JsonObject): Buffer {
  return Buffer.concat([
    ...list(of.tags).map((tag) => text(1, tag)),
    text(3, of.description),
    text(5, of.operationId),
    ...list(of.produces).map((type) => text(6, type)),
    ...list(of.consumes).map((type) => text(7, type)),
    ...list(of.parameters).map((one) => message(8, parameter(one as JsonObject))),
    message(9, named(1, of.responses, responseValue)),
    extensions(13, of),
  ]);
}

function parameter(of: JsonObject): Buffer {
  if (of.in === "body") {
    const body = [text(2, of.name), text(3, of.in), flag(4, of.required), optional(5, of.schema, schema)];
    return message(1, message(1, Buffer.concat(body)));
  }
  const inPath = of.in === "path";
  const own = Buffer.concat([
    flag(1, of.required),
    text(2, of.in),
    text(3, of.description),
    text(4, of.name),
    text(inPath ? 5 : 6, of.type),
    flag(inPath ? 19 : 20, of.uniqueItems),
  ]);
  return message(1, message(2, message(inPath ? 4 : 3, own)));
}

function responseValue(of: JsonObject): Buffer {
  const answer = [text(1, of.description), optional(2, of.schema, (value) => message(1, schema(value)))];
  return message(1, Buffer.concat(answer));
}

function schema(of: JsonObject): Buffer {
  const { additionalProperties: more } = of;
  return Buffer.concat([
    text(1, of.$ref),
    text(2, of.format),
    text(4, of.description),
    of.default === undefined ? empty : message(5, any(of.default)),
    ...list(of.required).map((name) => text(19, name)),
    ...list(of.enum).map((value) => message(20, any(value))),
    isObject(more)
      ? message(21, message(1, schema(more)))
      : more === true
        ? message(21, flag(2, true))
        : empty,
    of.type === undefined ? empty : message(22, text(1, of.type)),
    optional(23, of.items, (items) => message(1, schema(items))),
    isObject(of.properties) ? message(25, named(1, of.properties, schema)) : empty,
    extensions(31, of),
  ]);
}

/** Each entry of a map as a message of its name and its value. */
function named(number: number, map: Json | undefined, encode: (value: JsonObject) => Buffer): Buffer {
  const entries = isObject(map) ? Object.entries(map) : [];
  return Buffer.concat(
    entries.map(([name, value]) =>
      message(number, Buffer.concat([text(1, name), message(2, encode(value as JsonObject))])),
    ),
  );
}

/** Whatever begins with `x-`, as YAML, which JSON is. */
function extensions(number: number, of: JsonObject): Buffer {
  const own = Object.entries(of).filter(([name]) => name.startsWith("x-"));
  return Buffer.concat(
    own.map(([name, value]) => message(number, Buffer.concat([text(1, name), message(2, any(value))]))),
  );
}

function any(value: Json): Buffer {
  return text(2, `${writeJson(value)}\n`);
}

function optional(number: number, value: Json | undefined, encode: (value: JsonObject) => Buffer): Buffer {
  return isObject(value) ? message(number, encode(value)) : empty;
}

const empty = Buffer.alloc(0);

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** Empty text is not written, as proto3 has it. */
function text(number: number, value: Json | undefined): Buffer {
  return typeof value === "string" && value !== "" ? message(number, Buffer.from(value)) : empty;
}

function flag(number: number, value: Json | undefined): Buffer {
  return value === true ? Buffer.concat([varint(number << 3), varint(1)]) : empty;
}

function message(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
