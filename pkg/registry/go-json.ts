import { writeJson } from "../encoding/json.ts";
import { isObject, type Json } from "./json.ts";

/** `value` as Go writes JSON: keys in order, and characters that mean something to HTML escaped. */
export function goJson(value: Json): string {
  const text = writeJson(isPlain(value) ? value : sorted(value));
  return needsEscape.test(text) ? text.replace(escaped, escapeOf) : text;
}

const needsEscape = /[<>&\u2028\u2029]/;
const escaped = /[<>&\u2028\u2029]/g;

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function isPlain(value: Json): boolean {
  return typeof value !== "object" || value === null;
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const result: Record<string, Json> = {};
  for (const key of Object.keys(value).sort()) result[key] = sorted(value[key] as Json);
  return result;
}
