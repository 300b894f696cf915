import { isObject, type Json, type JsonObject } from "../../json.ts";
import type { GoType, StructType } from "../types.ts";

/** An object as a client sends it that would rather send protobuf: for tests alone. */
export function writeProtobufBody(type: StructType, { apiVersion, kind, ...fields }: JsonObject): Buffer {
  const typeMeta = Buffer.concat([block(1, text(apiVersion)), block(2, text(kind))]);
  const message = writeMessage(type, fields);
  const unknown = [block(1, typeMeta), block(2, message), block(3, text("")), block(4, text(""))];
  return Buffer.concat([Buffer.from("k8s\0", "latin1"), ...unknown]);
}

function writeMessage(type: StructType, object: JsonObject): Buffer {
  const parts: Buffer[] = [];
  for (const [name, { number, type: of }] of type.fields) {
    const value = object[name];
    if (value !== undefined) parts.push(writeField(number, of, value));
  }
  return Buffer.concat(parts);
}

function writeField(number: number, type: GoType, value: Json): Buffer {
  switch (type.is) {
    case "list":
      return Buffer.concat((value as readonly Json[]).map((item) => writeField(number, type.of, item)));
    case "map":
      return Buffer.concat(
        Object.entries(value as JsonObject).map(([key, item]) => {
          const inner =
            type.of.is === "list" ? block(2, writeField(1, type.of, item)) : writeField(2, type.of, item);
          return block(number, Buffer.concat([block(1, text(key)), inner]));
        }),
      );
    case "struct":
      return block(number, writeMessage(type, isObject(value) ? value : {}));
    case "time":
      return block(number, value === null ? Buffer.alloc(0) : time(String(value)));
    case "int32":
    case "int64":
      return Buffer.concat([varint(BigInt(number) << 3n), varint(BigInt.asUintN(64, BigInt(Number(value))))]);
    case "bool":
      return Buffer.concat([varint(BigInt(number) << 3n), varint(value === true ? 1n : 0n)]);
    case "json":
      return block(number, block(1, text(JSON.stringify(value))));
    default:
      return block(number, text(value));
  }
}

function time(value: string): Buffer {
  const micros = Number(/\.(\d{6})/.exec(value)?.[1] ?? 0);
  const seconds = BigInt(Math.floor(Date.parse(value) / 1000));
  return Buffer.concat([
    varint(8n),
    varint(BigInt.asUintN(64, seconds)),
    varint(16n),
    varint(BigInt(micros * 1000)),
  ]);
}

function block(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint((BigInt(number) << 3n) | 2n), varint(BigInt(content.length)), content]);
}

function text(value: Json | undefined): Buffer {
  return Buffer.from(String(value ?? ""), "utf8");
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}
