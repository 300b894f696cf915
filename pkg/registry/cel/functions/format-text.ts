import { itemsOf } from "../values/lists.ts";
import { CelDuration, Timestamp } from "../values/time.ts";
import { Uint } from "../values/uint.ts";
import {
  CelError,
  CelList,
  CelMap,
  charsPerToil,
  TypeName,
  typeNameOf,
  type Value,
  type Work,
} from "../values/value.ts";
import { textOf } from "./conversions.ts";

/** `pattern.format(values)`: `%s %d %f %e %b %x %X %o %%`, `%.3f`. A clause without a value is an error. */
export function formatText(pattern: string, values: CelList, work: Work): Value {
  const parts: string[] = [];
  let next = 0;
  let last = 0;
  try {
    for (const match of pattern.matchAll(/%(%|\.?\d*.?)/gs)) {
      parts.push(pattern.slice(last, match.index));
      last = match.index + match[0].length;
      const clause = match[1] ?? "";
      if (clause === "%") {
        parts.push("%");
        continue;
      }
      if (next >= values.size) return new CelError(`index ${next} out of range`);
      const formatted = formatClause(clause, values.get(next++), work);
      work.toil(formatted.length / charsPerToil + 1);
      parts.push(formatted);
    }
  } catch (error) {
    if (error instanceof FormatError) return new CelError(error.message);
    throw error;
  }
  parts.push(pattern.slice(last));
  return parts.join("");
}

class FormatError extends Error {}

/** More digits are refused: cel-go's own bound, in a later version than Kubernetes'. */
const maxPrecision = 100;

function formatClause(clause: string, value: Value, work: Work): string {
  if (clause === "") throw new FormatError("unexpected end of string");
  const [, dot, digits = "", verb = ""] = /^(\.?)(\d*)(.?)$/s.exec(clause) ?? [];
  if (dot === "" && digits !== "") return unrecognized(digits[0] ?? "");
  if (dot === "." && verb === "") {
    throw clauseError("error while parsing precision: could not find end of precision specifier");
  }
  if (dot === "." && digits === "") {
    const why = 'error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax';
    throw clauseError(`error while parsing precision: ${why}`);
  }
  const precision = digits === "" ? 6 : Number(digits);
  if (precision > maxPrecision) {
    const why = `precision ${precision} exceeds maximum allowed precision ${maxPrecision}`;
    throw clauseError(`error while parsing precision: ${why}`);
  }
  const format = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  return format === undefined ? unrecognized(verb) : format(value, precision, work);
}

function clauseError(why: string): FormatError {
  return new FormatError(`could not parse formatting clause: ${why}`);
}

function unrecognized(verb: string): never {
  throw clauseError(`unrecognized formatting clause "${verb}"`);
}

/** Of finding the digits of a double: it may have hundreds. */
const digitsToil = 1000;

const verbs: Readonly<Record<string, (value: Value, precision: number, work: Work) => string>> = {
  s: (value, _, work) => shown(value, work),
  d: (value) => whole(value) ?? wrong("decimal clause can only be used on integers", value),
  f: (value, precision, work) => {
    work.toil(digitsToil);
    return fixed(value, precision);
  },
  e: (value, precision, work) => {
    work.toil(digitsToil);
    return scientific(value, precision);
  },
  b: (value) =>
    typeof value === "boolean"
      ? String(Number(value))
      : (whole(value, 2) ?? wrong("only integers and bools can be formatted as binary", value)),
  x: (value) => hex(value),
  X: (value) => hex(value).toUpperCase(),
  o: (value) => whole(value, 8) ?? wrong("octal clause can only be used on integers", value),
};

function wrong(what: string, value: Value): never {
  throw new FormatError(`error during formatting: ${what}, was given ${typeNameOf(value)}`);
}

function whole(value: Value, base = 10): string | undefined {
  if (value instanceof Uint) return value.value.toString(base);
  return typeof value === "bigint" ? value.toString(base) : undefined;
}

function hex(value: Value): string {
  if (typeof value === "string") return Buffer.from(value).toString("hex");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return whole(value, 16) ?? wrong("only integers, byte buffers, and strings can be formatted as hex", value);
}

const specialDoubles: Readonly<Record<string, string>> = {
  NaN: "NaN",
  Infinity: "∞",
  "-Infinity": "-∞",
};

function fixed(value: Value, precision: number): string {
  const double = doubleOf(value) ?? wrong("fixed-point clause can only be used on doubles", value);
  return specialDoubles[String(double)] ?? grouped(decimals(double, precision));
}

function scientific(value: Value, precision: number): string {
  const double = doubleOf(value) ?? wrong("scientific clause can only be used on doubles", value);
  const special = specialDoubles[String(double)];
  if (special !== undefined) return special;
  const [digits = "", power = "0"] = double.toExponential(precision).split("e");
  const exponent = Math.abs(Number(power));
  // As Go's text/message writes English: 1.5×10⁰³
  const raised = [...String(exponent).padStart(2, "0")].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");
  return `${digits}×10${Number(power) < 0 ? "⁻" : ""}${raised}`;
}

function doubleOf(value: Value): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && Object.hasOwn(specialDoubles, value) ? Number(value) : undefined;
}

/** English: a comma between each three digits. */
function grouped(digits: string): string {
  const [integer = "", fraction] = digits.split(".");
  const sign = integer.startsWith("-") ? "-" : "";
  const plain = integer.slice(sign.length);
  const first = plain.length % 3 || 3;
  const groups = [plain.slice(0, first), ...(plain.slice(first).match(/\d{3}/g) ?? [])];
  const marked = `${sign}${groups.join(",")}`;
  return fraction === undefined ? marked : `${marked}.${fraction}`;
}

/** The digits of a double as Go rounds them: what stands exactly in the middle goes to the even digit. */
function decimals(double: number, precision: number): string {
  if (Math.abs(double) < 1e21) {
    const exact = double.toFixed(maxPrecision);
    const dropped = precision === maxPrecision ? "" : exact.slice(precision - maxPrecision);
    const kept = exact.slice(0, exact.length - dropped.length).replace(/\.$/, "");
    return /^50*$/.test(dropped) && /[02468]$/.test(kept) ? kept : double.toFixed(precision);
  }
  return precision === 0 ? String(BigInt(double)) : `${BigInt(double)}.${"0".repeat(precision)}`;
}

function shown(value: Value, work: Work): string {
  if (value instanceof CelList) return shownList(value, work);
  if (value instanceof CelMap) return shownMap(value, work);
  if (value === null) return "null";
  const text = textOf(value);
  if (typeof text === "string") return text;
  const kinds = "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps";
  return wrong(`string clause can only be used on ${kinds}`, value);
}

function shownList(list: CelList, work: Work): string {
  const parts: string[] = [];
  for (const item of itemsOf(list)) {
    const part = shownWithin(item, work);
    work.toil(part.length / charsPerToil + 1);
    parts.push(part);
  }
  return `[${parts.join(", ")}]`;
}

function shownMap(map: CelMap, work: Work): string {
  const entries = map.keys().map((key): readonly [string, string] => {
    const name = shownWithin(key, work);
    const value = shownWithin(map.find(key) ?? null, work);
    work.toil((name.length + value.length) / charsPerToil + 2);
    return [name, value];
  });
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, value]) => `${key}:${value}`).join(", ")}}`;
}

/** A value in a list or map is written so that it could be read again. */
function shownWithin(value: Value, work: Work): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `b${JSON.stringify(textOf(value))}`;
  if (typeof value === "number") {
    return Number.isFinite(value) ? decimals(value, 6) : JSON.stringify(textOf(value));
  }
  if (value instanceof Timestamp) return `timestamp(${JSON.stringify(textOf(value))})`;
  if (value instanceof CelDuration) return `duration(${JSON.stringify(textOf(value))})`;
  if (value instanceof CelError) throw new FormatError(value.message);
  if (value instanceof CelList || value instanceof CelMap || value === null) return shown(value, work);
  const plain = typeof value === "bigint" || typeof value === "boolean";
  if (plain || value instanceof Uint || value instanceof TypeName) return shown(value, work);
  throw new FormatError(`error during formatting: no formatting function for ${typeNameOf(value)}`);
}
