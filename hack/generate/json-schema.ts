/** JSON Schema for editors out of a structural schema: what a person may write, and what an editor says about it. */
import type { Schema, ValidationRule } from "./crds.ts";
import { type JsonSchema, ruleSchema } from "./rule-schema.ts";
import { needsQuotes } from "./yaml-words.ts";

/** Keywords that mean the same in both. */
const shared = [
  "default",
  "enum",
  "pattern",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
] as const;

/** Formats that draft 7 knows; the others only say how wide an integer is. */
const formats: ReadonlySet<string> = new Set([
  "date-time",
  "date",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "uri",
]);
const widths: ReadonlySet<string> = new Set(["int32", "int64", "double", "float"]);

const translated: ReadonlySet<string> = new Set([
  ...shared,
  "required",
  "type",
  "description",
  "nullable",
  "format",
  "items",
  "properties",
  "additionalProperties",
  "x-kubernetes-int-or-string",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  // Says who may own a part of it, not what may stand there.
  "x-kubernetes-map-type",
  "x-kubernetes-validations",
]);

/**
 * `schema` as JSON Schema, draft 7, with yaml-language-server's `errorMessage` where a rule has a message of its own.
 * An object takes no field that the API server would prune. A rule that JSON Schema can say becomes a condition; of
 * any other the message stands in the description, so that at least the hover tells it.
 *
 * @param notesOfParent - messages of the parent's rules that are about this field
 * @throws Error for a keyword or format that this doesn't know: nothing is dropped in silence
 */
export function jsonSchemaOf(schema: Schema, notesOfParent: readonly string[] = []): JsonSchema {
  const unknown = Object.keys(schema).find((keyword) => !translated.has(keyword));
  if (unknown !== undefined) throw new Error(`The keyword ${unknown} has no translation to JSON Schema yet.`);
  const { conditions, notes } = rulesOf(schema);
  const out: JsonSchema = {};
  const description = describe(schema, [...notes.here, ...notesOfParent]);
  if (description !== "") out.description = description;
  Object.assign(out, typeOf(schema));
  for (const keyword of shared) if (schema[keyword] !== undefined) out[keyword] = schema[keyword];
  if (schema.format !== undefined) Object.assign(out, formatOf(schema.format));
  if (schema.items !== undefined) out.items = jsonSchemaOf(schema.items);
  if (schema["x-kubernetes-list-type"] === "set") out.uniqueItems = true;
  if (schema.type === "object") Object.assign(out, membersOf(schema, notes.fields));
  if (conditions.length > 0) out.allOf = conditions;
  return out;
}

function typeOf(schema: Schema): JsonSchema {
  const type = schema["x-kubernetes-int-or-string"] === true ? ["integer", "string"] : schema.type;
  if (type === undefined || schema.nullable !== true) return type === undefined ? {} : { type };
  return { type: [type, "null"].flat() };
}

function formatOf(format: string): JsonSchema {
  if (formats.has(format)) return { format };
  if (!widths.has(format)) throw new Error(`The format ${format} has no translation to JSON Schema yet.`);
  return {};
}

function membersOf(schema: Schema, notes: ReadonlyMap<string, readonly string[]>): JsonSchema {
  const { properties, additionalProperties } = schema;
  const out: JsonSchema = {};
  // What has a default is there before the API server looks whether it is missing.
  const required = (schema.required ?? []).filter((name) => properties?.[name]?.default === undefined);
  if (required.length > 0) out.required = required;
  if (properties !== undefined) {
    out.properties = Object.fromEntries(
      Object.entries(properties).map(([name, child]) => [name, jsonSchemaOf(child, notes.get(name))]),
    );
  }
  if (typeof additionalProperties === "object") out.additionalProperties = jsonSchemaOf(additionalProperties);
  else if (additionalProperties !== true && schema["x-kubernetes-preserve-unknown-fields"] !== true)
    out.additionalProperties = false;
  return out;
}

function describe(schema: Schema, notes: readonly string[]): string {
  const sentences = [schema.description?.trim() ?? ""];
  const keys = schema["x-kubernetes-list-map-keys"];
  if (keys !== undefined) sentences.push(`No two items have the same ${keys.join(" and ")}.`);
  const words = schema.enum?.filter(needsQuotes) ?? [];
  if (words.length > 0)
    sentences.push(`Write ${words.map((word) => JSON.stringify(word)).join(" and ")} with the quotes.`);
  return [...sentences, ...notes].filter((sentence) => sentence !== "").join(" ");
}

interface Notes {
  here: string[];
  /** By property: the messages of rules that name it as their `fieldPath`. */
  fields: Map<string, string[]>;
}

function rulesOf(schema: Schema): { conditions: JsonSchema[]; notes: Notes } {
  const conditions: JsonSchema[] = [];
  const notes: Notes = { here: [], fields: new Map() };
  for (const rule of schema["x-kubernetes-validations"] ?? []) {
    const condition = ruleSchema(rule.rule, messageOf(rule), schema);
    if (condition !== undefined) {
      conditions.push(condition);
      continue;
    }
    const note = `Rule: ${messageOf(rule)}.`;
    const field = rule.fieldPath?.replace(/^\./, "");
    if (field === undefined) notes.here.push(note);
    else notes.fields.set(field, [...(notes.fields.get(field) ?? []), note]);
  }
  return { conditions, notes };
}

function messageOf({ message, rule }: ValidationRule): string {
  return message ?? `it must hold: ${rule}`;
}
