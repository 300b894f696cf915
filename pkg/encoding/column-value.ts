import { writeJson } from "./json.ts";
import type { JsonPath } from "./json-path.ts";

/**
 * The cell that a column shows of an object, as kube-apiserver's converter makes it: the first that the path finds, as
 * text in a column of strings and as its own type otherwise; null where nothing is found or the type is another.
 *
 * @param type - integer, number, boolean, string or date
 * @param age - how long ago an RFC 3339 time was
 */
export function columnValue(
  object: unknown,
  find: JsonPath,
  type: string,
  age: (time: string) => string,
): unknown {
  const found = foundBy(find, object);
  if (found === undefined) return null;
  const [value] = found;
  switch (type) {
    case "string":
      return asText(value);
    case "integer":
      if (typeof value === "bigint") return value;
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      if (typeof value === "bigint") return Number(value);
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? dateCell(value, age) : null;
    default:
      return null;
  }
}

/** Undefined when nothing is found, or the path does not fit the object. */
function foundBy(find: JsonPath, object: unknown): readonly unknown[] | undefined {
  try {
    const found = find(object);
    return found.length === 0 ? undefined : found;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function dateCell(value: string, age: (time: string) => string): string {
  if (value === "" || value === "null") return "<unknown>";
  return rfc3339.test(value) && !Number.isNaN(Date.parse(value)) ? age(value) : "<invalid>";
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** As Go prints it. */
function asText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return numberText(value);
    case "object":
      return value === null ? "<no value>" : jsonText(value);
    default:
      return String(value);
  }
}

/** Go turns to exponents below 0.0001, and writes at least two digits of them. */
function numberText(value: number): string {
  const text = value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential() : String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

/** Lists and objects as Go's JSON: keys in order, and signs that HTML knows escaped. */
function jsonText(value: unknown): string {
  return writeJson(inOrder(value)).replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, inOrder(item)]));
}
