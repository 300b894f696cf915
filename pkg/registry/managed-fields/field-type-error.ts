import { goValue } from "../../encoding/go-format.ts";
import { writeJson } from "../../encoding/json.ts";
import { isObject, type Json } from "../json.ts";

/** A value does not have the type that its schema says. The message is kube-apiserver's. */
export class FieldTypeError extends Error {
  override readonly name = "FieldTypeError";
}

/** Several faults as one message. */
export function faultsText(faults: readonly string[]): string {
  return faults.length === 1
    ? (faults[0] as string)
    : ["errors:", ...faults.map((fault) => `  ${fault}`)].join("\n");
}

/** Go's `%q` of strings. */
export function goList(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(" ")}]`;
}

/** A value as Go's `%v` shows what holds it there. */
export function shownValue(value: Json): string {
  return `&{${goValue(value)}}`;
}

/** Go's `%#v` of a value. */
export function goSyntax(value: Json): string {
  return `&value.valueUnstructured{Value:${syntax(value)}}`;
}

/** Go's `%T`. */
export function goTypeName(value: Json): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (isObject(value)) return "map[string]interface {}";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int64";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return value === null ? "<nil>" : "string";
}

function syntax(value: Json): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(syntax).join(", ")}}`;
  if (isObject(value)) {
    const items = entries(value).map(([key, item]) => `${JSON.stringify(key)}:${syntax(item)}`);
    return `map[string]interface {}{${items.join(", ")}}`;
  }
  return value === null ? "interface {}(nil)" : writeJson(value);
}

function entries(value: Readonly<Record<string, Json>>): [string, Json][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
