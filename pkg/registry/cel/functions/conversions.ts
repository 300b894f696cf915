import {
  bool,
  bytes,
  double,
  duration,
  dyn,
  int,
  param,
  string,
  type Type,
  timestamp,
  typeOf,
  uint,
} from "../check/type.ts";
import { formatDouble, parseDouble } from "../values/go-numbers.ts";
import { int as intOf, intOverflow, uint as uintOf, uintOverflow } from "../values/numbers.ts";
import {
  CelDuration,
  formatTimestamp,
  maxSeconds,
  minSeconds,
  parseDuration,
  parseTimestamp,
  Timestamp,
} from "../values/time.ts";
import { Uint } from "../values/uint.ts";
import { CelError, TypeName, typeNameOf, type Value } from "../values/value.ts";
import { type Cost, readFirst } from "./costs.ts";
import { global, type Library, type Overload } from "./overload.ts";

const a = param("A");

/** `int(x)`, `string(x)` and their like, `type(x)`, `dyn(x)`. */
export const conversions: Library = {
  bool: [
    convert("bool_to_bool", bool, bool, itself),
    convert("string_to_bool", string, bool, (x) => bools.get(x as string) ?? failed(x, bool)),
  ],
  bytes: [
    convert("bytes_to_bytes", bytes, bytes, itself),
    convert("string_to_bytes", string, bytes, (x) => new TextEncoder().encode(x as string), readFirst),
  ],
  double: [
    convert("double_to_double", double, double, itself),
    convert("int64_to_double", int, double, (x) => Number(x)),
    convert("string_to_double", string, double, (x) => parseDouble(x as string) ?? failed(x, double)),
    convert("uint64_to_double", uint, double, (x) => Number((x as Uint).value)),
  ],
  duration: [
    convert("duration_to_duration", duration, duration, itself),
    convert("string_to_duration", string, duration, (x) => parseDuration(x as string) ?? failed(x, duration)),
  ],
  dyn: [convert("to_dyn", a, dyn, itself)],
  int: [
    convert("int64_to_int64", int, int, itself),
    convert("double_to_int64", double, int, (x) => truncated(x as number)),
    convert("duration_to_int64", duration, int, (x) => (x as CelDuration).nanos),
    convert("string_to_int64", string, int, (x) => wholeNumber(x as string, /^[-+]?\d+$/, int)),
    convert("timestamp_to_int64", timestamp, int, (x) => BigInt((x as Timestamp).seconds)),
    convert("uint64_to_int64", uint, int, (x) => intOf((x as Uint).value)),
  ],
  string: [
    convert("string_to_string", string, string, itself),
    ...[bool, bytes, double, duration, int, timestamp, uint].map((from) =>
      convert(`${from.kind}_to_string`, from, string, textOf, from === bytes ? readFirst : undefined),
    ),
  ],
  timestamp: [
    convert("timestamp_to_timestamp", timestamp, timestamp, itself),
    convert("int64_to_timestamp", int, timestamp, (x) => timeAt(x as bigint)),
    convert("string_to_timestamp", string, timestamp, (x) => timeFrom(x as string)),
  ],
  type: [convert("type", a, typeOf(a), (x) => new TypeName(typeNameOf(x)))],
  uint: [
    convert("uint64_to_uint64", uint, uint, itself),
    convert("double_to_uint64", double, uint, (x) => truncatedUint(x as number)),
    convert("int64_to_uint64", int, uint, (x) => uintOf(x as bigint)),
    convert("string_to_uint64", string, uint, (x) => wholeNumber(x as string, /^\d+$/, uint)),
  ],
};

/** The text of a value of one of the plain types, as `string(x)` and `'%s'.format([x])` write it. */
export function textOf(value: Value): Value {
  if (typeof value === "string") return value;
  if (typeof value === "number") return formatDouble(value);
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof CelDuration) return `${secondsOf(value.nanos)}s`;
  if (value instanceof TypeName) return value.name;
  if (value instanceof Uint8Array) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
    } catch {
      // The one reason for which decoding fails.
      return new CelError("invalid UTF-8 in bytes, cannot convert to string");
    }
  }
  return failed(value, string);
}

function convert(id: string, from: Type, to: Type, call: (value: Value) => Value, cost?: Cost): Overload {
  return global(id, [from], to, ([value]) => call(value as Value), cost === undefined ? {} : { cost });
}

function itself(value: Value): Value {
  return value;
}

function failed(from: Value, to: Type): CelError {
  return new CelError(`type conversion error from '${typeNameOf(from)}' to '${to.name}'`);
}

/** Go's strconv.ParseBool. */
const bools: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

function wholeNumber(text: string, pattern: RegExp, to: Type): Value {
  const digits = text.replace(/^\+/, "").replace(/^(-?)0+(?=\d)/, "$1");
  // No more digits than 64 bits can have: reading a million of them takes long.
  if (digits.length > 20 || !pattern.test(text)) return failed(text, to);
  const value = to === int ? intOf(BigInt(digits)) : uintOf(BigInt(digits));
  return value instanceof CelError ? failed(text, to) : value;
}

function truncated(value: number): Value {
  const fits = value > -(2 ** 63) && value < 2 ** 63;
  return fits ? BigInt(Math.trunc(value)) : intOverflow;
}

function truncatedUint(value: number): Value {
  const fits = value >= 0 && value < 2 ** 64;
  return fits ? new Uint(BigInt(Math.trunc(value))) : uintOverflow;
}

const timestampOverflow = new CelError("timestamp overflow");

function timeAt(seconds: bigint): Value {
  const at = Number(seconds);
  return at < minSeconds || at > maxSeconds ? timestampOverflow : new Timestamp(at, 0);
}

function timeFrom(text: string): Value {
  const time = parseTimestamp(text);
  if (time === undefined) return failed(text, timestamp);
  return time.seconds < minSeconds || time.seconds > maxSeconds ? timestampOverflow : time;
}

/** Seconds with as many decimals as it takes. */
function secondsOf(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = String(size % 1_000_000_000n)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const whole = `${nanos < 0n ? "-" : ""}${size / 1_000_000_000n}`;
  return fraction === "" ? whole : `${whole}.${fraction}`;
}
