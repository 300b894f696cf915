import { parseJson, readJson, writeJson } from "../../encoding/json.ts";
import { goJson } from "../go-json.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";

/*
 * A path element is one step from a value to a part of it, written as in managedFields:
 * `f:NAME` a field, `k:{"name":"p1"}` the list item with these keys, `v:"a"` the list item of this value, `i:0` the
 * list item at this index. Texts are canonical, so that equal elements are equal texts.
 */

export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** @param keys - in any order */
export function keyElement(keys: readonly (readonly [name: string, value: Json])[]): string {
  const sorted = keys.length < 2 ? keys : [...keys].sort(([a], [b]) => compareText(a, b));
  return `k:{${sorted.map(([name, value]) => `${goJson(name)}:${goJson(value)}`).join(",")}}`;
}

export function valueElement(value: Json): string {
  return `v:${goJson(value)}`;
}

/**
 * The canonical text of an element that a client sent; undefined for one of a kind that nobody knows, to be ignored.
 *
 * @throws TypeError for one that is none
 */
export function readPathElement(text: string): string | undefined {
  if (text.length < 2) throw new TypeError("key must be 2 characters long:");
  if (text[1] !== ":") throw new TypeError(`missing colon: ${text}`);
  const rest = text.slice(2);
  switch (text[0]) {
    case "f":
      return text;
    case "k": {
      const keys = parseJson(rest).value;
      if (!isObject(keys)) throw new TypeError(`no keys: ${text}`);
      return keyElement(Object.entries(keys));
    }
    case "v":
      return valueElement(parseJson(rest).value as Json);
    case "i":
      if (!/^[+-]?\d+$/.test(rest)) throw new TypeError(`no index: ${text}`);
      return `i:${Number(rest)}`;
    default:
      return undefined;
  }
}

/** Orders as kube-apiserver does: "." first, then fields, keys, values and indexes. */
export function comparePathElements(a: string, b: string): number {
  const [left, right] = [a.charCodeAt(0), b.charCodeAt(0)];
  if (left !== right) return kinds.indexOf(a[0] as string) - kinds.indexOf(b[0] as string);
  if (left === field || a === b) return compareText(a, b);
  return compareValues(readJson(a.slice(2)) as Json, readJson(b.slice(2)) as Json);
}

const kinds = ".fkvi";
const field = "f".charCodeAt(0);

/** As conflicts name it: `.spec`, `[name="p1"]`, `[="a"]`, `[0]`. */
export function printPathElement(element: string): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case "k": {
      const keys = Object.entries(readJson(rest) as JsonObject);
      return `[${keys.map(([name, value]) => `${name}=${printValue(value)}`).join(",")}]`;
    }
    case "v":
      return `[=${printValue(readJson(rest) as Json)}]`;
    case "i":
      return `[${rest}]`;
    default:
      return `.${rest}`;
  }
}

export function printPath(path: readonly string[]): string {
  return path.map(printPathElement).join("");
}

function printValue(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(printValue).join(",")}]`;
  if (isObject(value)) {
    return Object.entries(value)
      .map(([key, item]) => `${key}=${printValue(item)}`)
      .join("");
  }
  return writeJson(value);
}

/** Keys, and values of keys and sets. */
function compareValues(a: Json, b: Json): number {
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0) return rank;
  if (typeof a === "number" || typeof a === "bigint")
    return a < (b as number) ? -1 : a > (b as number) ? 1 : 0;
  if (typeof a === "string") return compareText(a, b as string);
  if (typeof a === "boolean") return Number(a) - Number(b);
  if (a === null) return 0;
  const [left, right] = [flat(a), flat(b)];
  for (const [i, item] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    const order = compareValues(item, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function flat(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : Object.entries(value as JsonObject).flat();
}

function rankOf(value: Json): number {
  if (Array.isArray(value)) return 3;
  if (value === null) return 5;
  return { number: 0, bigint: 0, string: 1, boolean: 2, object: 4 }[typeof value as "number"];
}

/** Go's order of strings is that of their bytes: above U+FFFF it differs from that of UTF-16 units. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (left === right) continue;
    // A half of a surrogate pair stands for a character above all that stand for themselves.
    return isSurrogate(left) === isSurrogate(right) ? left - right : isSurrogate(left) ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
