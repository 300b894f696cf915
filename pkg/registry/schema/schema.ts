import { RE2JS } from "re2js";
import { writeJson } from "../../encoding/json.ts";
import { compileRules, RuleError, type RuleNode } from "../cel/rules.ts";
import type { FieldError } from "../field-error.ts";
import { copyJson, deepFreeze, isObject, type Json, type JsonObject } from "../json.ts";
import { formatCheck } from "./formats.ts";

/** A structural schema, compiled once: regular expressions, CEL rules and frozen defaults included. */
export interface Schema {
  readonly type: string | undefined;
  /** The types that a value may have; none: any. */
  readonly types: readonly string[];
  /** A format that counts: of the others nothing is checked. */
  readonly format: string | undefined;
  /** Whether a string is of the format; undefined when every one is. */
  readonly check: ((text: string) => boolean) | undefined;
  readonly nullable: boolean;
  readonly intOrString: boolean;
  readonly preserveUnknown: boolean;
  readonly embeddedResource: boolean;
  readonly default: Json | undefined;
  readonly properties: ReadonlyMap<string, Schema>;
  /** The schema of values beneath undeclared keys; undefined: such keys are unknown. */
  readonly additionalProperties: Schema | undefined;
  readonly items: Schema | undefined;
  readonly listType: "atomic" | "set" | "map";
  readonly listMapKeys: readonly string[];
  /** Whether the keys of a map may have several owners, or the map is owned as one value. */
  readonly mapType: "granular" | "atomic";
  readonly required: readonly string[];
  readonly enum: readonly Json[] | undefined;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly exclusiveMinimum: boolean;
  readonly exclusiveMaximum: boolean;
  readonly multipleOf: number | undefined;
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly pattern: { readonly source: string; readonly regex: RE2JS } | undefined;
  readonly minItems: number | undefined;
  readonly maxItems: number | undefined;
  readonly minProperties: number | undefined;
  readonly maxProperties: number | undefined;
  readonly allOf: readonly Schema[];
  readonly anyOf: readonly Schema[];
  readonly oneOf: readonly Schema[];
  readonly not: Schema | undefined;
  /** Whether there is an allOf, anyOf, oneOf or not. */
  readonly hasAlternatives: boolean;
  /** Whether there are objects within the object here or beneath. */
  readonly hasEmbedded: boolean;
  /** Whether values hold nothing that the schema does not describe. */
  readonly isClosed: boolean;
  /** Whether there are sets or maps among the lists here and beneath. */
  readonly hasListTypes: boolean;
  /** All CEL rules of the whole schema; only at its root, and undefined where there are none. */
  readonly rules: RuleNode | undefined;
}

/**
 * Compiles an `openAPIV3Schema`.
 *
 * @throws Error naming the path of a bad pattern or CEL rule
 */
export function compileSchema(declared: Json): Schema {
  const schema = compileNode(declared, "");
  try {
    return { ...schema, rules: compileRules(declared, schema) };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    throw new SchemaError(`Schema at ${error.path}: ${error.message}`, { cause: error });
  }
}

/**
 * What is wrong with the CEL rules of a schema in which nothing else is wrong, as kube-apiserver tells it.
 *
 * @param field - where the schema is
 */
export function ruleFaults(declared: Json, field: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  compileRules(declared, compileNode(declared, ""), {
    at: field,
    onError: (error) => errors.push(error.fault),
  });
  return errors;
}

function compileNode(declared: Json, path: string): Schema {
  try {
    return compile(isObject(declared) ? declared : {}, path);
  } catch (error) {
    if (error instanceof SchemaError) throw error;
    throw new SchemaError(`Schema at ${path || "the root"}: ${(error as Error).message}`, { cause: error });
  }
}

const compiledSchemas = new WeakMap<JsonObject, Schema>();
/** By text: definitions that are read back, or change in something else, have a schema that is there already. */
const compiledTexts = new Map<string, Schema>();
const compiledTextsMax = 100;

/** Like `compileSchema`, once for each object, and for each that says the same: for one that nobody changes any more. */
export function compiledSchema(declared: JsonObject): Schema {
  let schema = compiledSchemas.get(declared);
  if (schema === undefined) {
    const text = writeJson(declared);
    schema = compiledTexts.get(text) ?? compileSchema(declared);
    if (compiledTexts.size >= compiledTextsMax) compiledTexts.clear();
    compiledTexts.set(text, schema);
    compiledSchemas.set(declared, schema);
  }
  return schema;
}

class SchemaError extends Error {
  override readonly name = "SchemaError";
}

function compile(declared: JsonObject, path: string): Schema {
  const properties = new Map<string, Schema>();
  if (isObject(declared.properties)) {
    for (const [key, value] of Object.entries(declared.properties)) {
      properties.set(key, compileNode(value, `${path}.${key}`));
    }
  }
  const additionalProperties =
    declared.additionalProperties === undefined || declared.additionalProperties === false
      ? undefined
      : // Of `true` nothing is known of the values, and so anything allowed, nulls too.
        compileNode(
          declared.additionalProperties === true ? { nullable: true } : declared.additionalProperties,
          `${path}.*`,
        );
  const items = declared.items === undefined ? undefined : compileNode(declared.items, `${path}[]`);
  const children = [...properties.values(), additionalProperties, items].filter(
    (child) => child !== undefined,
  );
  const type = text(declared.type);
  const intOrString = declared["x-kubernetes-int-or-string"] === true;
  const types = intOrString ? ["integer", "string"] : type === undefined ? [] : [type];
  const format = supportedFormat(types, text(declared.format));
  const listType = (text(declared["x-kubernetes-list-type"]) ?? "atomic") as Schema["listType"];
  const alternatives = [declared.allOf, declared.anyOf, declared.oneOf, declared.not];
  return {
    type,
    types,
    format,
    check: format === undefined ? undefined : formatCheck(format),
    nullable: declared.nullable === true,
    intOrString,
    preserveUnknown: declared["x-kubernetes-preserve-unknown-fields"] === true,
    embeddedResource: declared["x-kubernetes-embedded-resource"] === true,
    default: declared.default === undefined ? undefined : deepFreeze(copyJson(declared.default)),
    properties,
    additionalProperties,
    items,
    listType,
    listMapKeys: texts(declared["x-kubernetes-list-map-keys"]),
    mapType: (text(declared["x-kubernetes-map-type"]) ?? "granular") as Schema["mapType"],
    required: texts(declared.required),
    enum: Array.isArray(declared.enum) ? declared.enum : undefined,
    minimum: number(declared.minimum),
    maximum: number(declared.maximum),
    exclusiveMinimum: declared.exclusiveMinimum === true,
    exclusiveMaximum: declared.exclusiveMaximum === true,
    multipleOf: number(declared.multipleOf),
    minLength: number(declared.minLength),
    maxLength: number(declared.maxLength),
    pattern:
      typeof declared.pattern === "string"
        ? { source: declared.pattern, regex: RE2JS.compile(declared.pattern) }
        : undefined,
    minItems: number(declared.minItems),
    maxItems: number(declared.maxItems),
    minProperties: number(declared.minProperties),
    maxProperties: number(declared.maxProperties),
    allOf: schemas(declared.allOf, path),
    anyOf: schemas(declared.anyOf, path),
    oneOf: schemas(declared.oneOf, path),
    not: declared.not === undefined ? undefined : compileNode(declared.not, path),
    hasAlternatives: alternatives.some((schemas) => schemas !== undefined),
    isClosed:
      declared["x-kubernetes-preserve-unknown-fields"] !== true &&
      declared["x-kubernetes-embedded-resource"] !== true &&
      declared.additionalProperties !== true &&
      children.every((child) => child.isClosed),
    hasEmbedded:
      declared["x-kubernetes-embedded-resource"] === true || children.some((child) => child.hasEmbedded),
    hasListTypes: listType !== "atomic" || children.some((child) => child.hasListTypes),
    rules: undefined,
  };
}

/** The format where kube-apiserver checks it: a string's by name, a number's if it is one of two. */
function supportedFormat(types: readonly string[], format: string | undefined): string | undefined {
  if (format === undefined) return undefined;
  const [type = "string"] = types.length > 1 ? [] : types;
  const numeric = { integer: ["int32", "int64"], number: ["float", "double"] }[type];
  if (numeric !== undefined) return numeric.includes(format) ? format : undefined;
  return type === "string" && formatCheck(format) !== undefined ? format : undefined;
}

function schemas(declared: Json | undefined, path: string): readonly Schema[] {
  return Array.isArray(declared) ? declared.map((schema) => compileNode(schema, path)) : [];
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function number(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}
