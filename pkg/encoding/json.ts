/**
 * JSON as Kubernetes reads and writes it: integers are exact to 64 bits, keys that come twice are known, errors read as
 * Go's.
 *
 * A number is a JavaScript number; an integer of 64 bits that a number cannot hold exactly is a bigint, and no other
 * value is ever a bigint. Beyond 64 bits it is the nearest number, as in Go.
 */
import { parseSlowly } from "./json-parser.ts";

export interface ParsedJson {
  readonly value: unknown;
  /** Paths of keys that came again in the same object, as `spec.parts[0].name`; the last value holds. */
  readonly duplicates: readonly string[];
  /** Paths of whole numbers written with a point or an exponent: `1.0`, `1e3`. To Go those are no integers. */
  readonly wholeFloats: ReadonlySet<string>;
}

/** How deep lists and objects may lie within each other. kube-apiserver allows 10,000; no real object has 50. */
export const maxJsonDepth = 1000;

/**
 * Reads JSON text.
 *
 * @throws SyntaxError in the words of Go's decoder: `unexpected end of JSON input`
 */
export function parseJson(text: string): ParsedJson {
  const plain = parsePlainly(text);
  return plain === undefined ? parseSlowly(text, maxJsonDepth) : { ...nothingSpecial, value: plain.value };
}

/** Reads JSON text that `writeJson` made. */
export function readJson(text: string): unknown {
  return hasLongNumber(text) ? parseSlowly(text, Number.POSITIVE_INFINITY).value : JSON.parse(text);
}

/** Whether there may be an integer that is no exact number. Those of 16 digits often are: schemas have 2^53 - 1 as maximum. */
function hasLongNumber(text: string): boolean {
  for (const [, digits] of text.matchAll(longNumbers)) if (!Number.isSafeInteger(Number(digits))) return true;
  return false;
}

/** `value` as JSON text, bigints as integers; on many lines when `indent` is above 0. */
export function writeJson(value: unknown, indent = 0): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    // The only value of ours that JSON.stringify refuses is a bigint, and those are rare.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(
      value,
      (_key, item) => (typeof item === "bigint" ? rawJson(String(item)) : item),
      indent,
    );
  }
}

/** A number of many digits in JSON without blanks; rarely something in a string that looks like one. */
const longNumbers = /(?:^|[[:,])-?(\d{16,})/g;
const nothingSpecial = { duplicates: [] as readonly string[], wholeFloats: new Set<string>() };

/** TypeScript's library does not know it yet. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown };

/** The value when `JSON.parse` tells all there is to know of `text`, which is nearly always; else undefined. */
function parsePlainly(text: string): { value: unknown } | undefined {
  const keys = countPlainKeys(text);
  if (keys === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return countKeys(value) === keys ? { value } : undefined;
  } catch {
    // The slow parser finds the same fault, and says it in Go's words.
    return undefined;
  }
}

/** Codes of characters. */
const quoteMark = 34;
const backslash = 92;

/**
 * How many keys `text` has if it is JSON; undefined when it holds something `JSON.parse` does not tell about: a number
 * with a point, an exponent or many digits, half a surrogate pair, or a nesting that is too deep.
 */
function countPlainKeys(text: string): number | undefined {
  if (text.includes("\\ud") || text.includes("\\uD")) return undefined;
  let keys = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quoteMark) {
      i = endOfString(text, i);
      if (i < 0) return undefined;
      let next = i + 1;
      while (isBlank(text.charCodeAt(next))) next++;
      if (text.charCodeAt(next) === 58) keys++;
    } else if (code >= 48 && code <= 57) {
      const start = i;
      while (isDigit(text.charCodeAt(i + 1))) i++;
      const after = text.charCodeAt(i + 1);
      // A fraction is told exactly by JSON.parse, unless it is none: 1.0.
      if (i - start >= 15 || after === 101 || after === 69) return undefined;
      if (after === 46) {
        const digit = text.charCodeAt(i + 2);
        if (digit === 48 || !isDigit(digit)) return undefined;
        i += 2;
        while (isDigit(text.charCodeAt(i + 1))) i++;
        const end = text.charCodeAt(i + 1);
        if (end === 101 || end === 69) return undefined;
      }
    } else if (code === 123 || code === 91) {
      if (++depth > maxJsonDepth) return undefined;
    } else if (code === 125 || code === 93) depth--;
  }
  return keys;
}

/** The index of the quote that ends the string which begins at `start`; -1 when none does. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return -1;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item);
    return count;
  }
  for (const key of Object.keys(value)) count += 1 + countKeys((value as Record<string, unknown>)[key]);
  return count;
}
