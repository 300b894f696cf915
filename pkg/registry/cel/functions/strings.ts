import { bool, dyn, int, listOf, string, type Type } from "../check/type.ts";
import { ArrayList, itemsOf } from "../values/lists.ts";
import { shown } from "../values/shown.ts";
import {
  CelError,
  type CelList,
  charsPerToil,
  codePoints,
  sizeOf,
  type Value,
  type Work,
} from "../values/value.ts";
import { type Cost, charCost, copyFirst, readFirst, traversed } from "./costs.ts";
import { formatText } from "./format-text.ts";
import { global, type Library, member, type Overload } from "./overload.ts";

const texts = listOf(string);
const joinCosts = {
  costOfResult: (result: Value): number => Math.ceil(sizeOf(result) * 2 * charCost),
};

/** The functions on strings of the standard, and of cel-go's extension in the version that Kubernetes has (2). */
export const strings: Library = {
  contains: [
    member("contains_string", [string, string], bool, contains, {
      cost: ([text, part], work) => readFirst([text as Value], work) * readFirst([part as Value], work),
    }),
  ],
  endsWith: [text("ends_with_string", [string], bool, (s, end) => s.endsWith(end as string), readFirst)],
  startsWith: [
    text("starts_with_string", [string], bool, (s, start) => s.startsWith(start as string), readFirst),
  ],
  charAt: [text("string_char_at_int", [int], string, (s, at) => charAt(s, Number(at)))],
  indexOf: [
    text("string_index_of_string", [string], int, (s, part) => indexOf(s, part as string, 0), traversed),
    text(
      "string_index_of_string_int",
      [string, int],
      int,
      (s, part, from) => indexOf(s, part as string, Number(from)),
      traversed,
    ),
  ],
  lastIndexOf: [
    text(
      "string_last_index_of_string",
      [string],
      int,
      (s, part) => lastIndexOf(s, part as string),
      traversed,
    ),
    text(
      "string_last_index_of_string_int",
      [string, int],
      int,
      (s, part, from) => lastIndexOf(s, part as string, Number(from)),
      traversed,
    ),
  ],
  lowerAscii: [
    text("string_lower_ascii", [], string, (s) => s.replace(/[A-Z]+/g, (of) => of.toLowerCase()), readFirst),
  ],
  upperAscii: [
    text("string_upper_ascii", [], string, (s) => s.replace(/[a-z]+/g, (of) => of.toUpperCase()), readFirst),
  ],
  trim: [text("string_trim", [], string, trim, readFirst)],
  substring: [
    text("string_substring_int", [int], string, (s, from) => substring(s, Number(from)), readFirst),
    text(
      "string_substring_int_int",
      [int, int],
      string,
      (s, from, to) => substring(s, Number(from), Number(to)),
      readFirst,
    ),
  ],
  replace: [
    replacing("string_replace_string_string", [string, string]),
    replacing("string_replace_string_string_int", [string, string, int]),
  ],
  split: [
    text("string_split_string", [string], texts, (s, by) => split(s, by as string, -1), copyFirst),
    text(
      "string_split_string_int",
      [string, int],
      texts,
      (s, by, count) => split(s, by as string, Number(count)),
      copyFirst,
    ),
  ],
  join: [
    member("list_join", [texts], string, ([list], work) => join(list as CelList, "", work), joinCosts),
    member(
      "list_join_string",
      [texts, string],
      string,
      ([list, by], work) => join(list as CelList, by as string, work),
      joinCosts,
    ),
  ],
  format: [
    member(
      "string_format",
      [string, listOf(dyn)],
      string,
      ([pattern, values], work) => formatText(pattern as string, values as CelList, work),
      { cost: readFirst },
    ),
  ],
  "strings.quote": [
    global("strings_quote", [string], string, ([s]) => quoted(s as string), { cost: readFirst }),
  ],
};

function text(
  id: string,
  params: readonly Type[],
  result: Type,
  call: (text: string, ...args: readonly Value[]) => Value,
  cost?: Cost,
): Overload {
  const costs = cost === undefined ? {} : { cost };
  return member(id, [string, ...params], result, ([s, ...args]) => call(s as string, ...args), costs);
}

function contains([whole, part]: readonly Value[], work: Work): Value {
  work.toil((whole as string).length / charsPerToil);
  return (whole as string).includes(part as string);
}

function outOfRange(index: number): CelError {
  return new CelError(`index out of range: ${index}`);
}

function charAt(whole: string, at: number): Value {
  if (at < 0 || at > codePoints(whole)) return outOfRange(at);
  const point = whole.codePointAt(unitAt(whole, at));
  return point === undefined ? "" : String.fromCodePoint(point);
}

function indexOf(whole: string, part: string, from: number): Value {
  if (from < 0) return outOfRange(from);
  const length = codePoints(whole);
  if (part === "") return BigInt(Math.min(from, length));
  if (from >= length) return -1n;
  const found = whole.indexOf(part, unitAt(whole, from));
  return found < 0 ? -1n : BigInt(codePoints(whole.slice(0, found)));
}

function lastIndexOf(whole: string, part: string, from?: number): Value {
  const length = codePoints(whole);
  if (from !== undefined && from < 0) return outOfRange(from);
  if (part === "") return BigInt(Math.min(from ?? length, length));
  if (from !== undefined && from >= length) return -1n;
  const found = whole.lastIndexOf(part, from === undefined ? undefined : unitAt(whole, from));
  return found < 0 ? -1n : BigInt(codePoints(whole.slice(0, found)));
}

/** Where the UTF-16 units of a character begin. */
function unitAt(whole: string, at: number): number {
  if (codePoints(whole) === whole.length) return at;
  let unit = 0;
  for (let i = 0; i < at; i++) unit += (whole.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
  return unit;
}

/** Go's strings.TrimSpace. */
function trim(whole: string): string {
  let [start, end] = [0, whole.length];
  while (start < end && blank.test(whole[start] ?? "")) start++;
  while (end > start && blank.test(whole[end - 1] ?? "")) end--;
  return whole.slice(start, end);
}

const blank = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

function substring(whole: string, from: number, to?: number): Value {
  const length = codePoints(whole);
  const end = to ?? length;
  if (to !== undefined && from > to) {
    return new CelError(`invalid substring range. start: ${from}, end: ${to}`);
  }
  if (from < 0 || from > length) return outOfRange(from);
  if (end < 0 || end > length) return outOfRange(end);
  return whole.slice(unitAt(whole, from), unitAt(whole, end));
}

function replacing(id: string, params: readonly Type[]): Overload {
  return member(
    id,
    [string, ...params],
    string,
    ([s, old, by, count], work) => replace(s as string, old as string, by as string, count, work),
    { cost: copyFirst },
  );
}

/** Go's strings.Replace: up to `count` times, always when it is negative; an empty `old` is between all characters. */
function replace(whole: string, old: string, by: string, count: Value | undefined, work: Work): Value {
  const limit = count === undefined || (count as bigint) < 0n ? Number.POSITIVE_INFINITY : Number(count);
  const parts = old === "" ? ["", ...whole, ""] : whole.split(old);
  const places = parts.length - 1;
  const replaced = Math.min(places, limit);
  work.toil((whole.length + replaced * by.length) / charsPerToil + parts.length);
  if (replaced === places) return parts.join(by);
  const rest = parts.slice(replaced).join(old);
  return replaced === 0 ? whole : [...parts.slice(0, replaced), rest].join(by);
}

/** Go's strings.SplitN. */
function split(whole: string, by: string, count: number): Value {
  if (count === 0) return new ArrayList([]);
  const parts = by === "" ? [...whole] : whole.split(by);
  if (count < 0 || parts.length <= count) return new ArrayList(parts);
  return new ArrayList([...parts.slice(0, count - 1), parts.slice(count - 1).join(by)]);
}

function join(list: CelList, by: string, work: Work): Value {
  const parts: string[] = [];
  for (const item of itemsOf(list)) {
    if (typeof item !== "string") return new CelError(`join: invalid input: ${shown(item)}`);
    work.toil((item.length + by.length) / charsPerToil + 1);
    parts.push(item);
  }
  return parts.join(by);
}

const quotedChars: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

function quoted(whole: string): string {
  return `"${Array.from(whole, (char) => quotedChars[char] ?? char).join("")}"`;
}
