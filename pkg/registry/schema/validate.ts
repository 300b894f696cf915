import { writeJson } from "../../encoding/json.ts";
import { checkRules } from "../cel/check-rules.ts";
import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  quote,
  required,
  tooLong,
  tooMany,
} from "../field-error.ts";
import { deepEqual, isObject, type Json, type JsonObject } from "../json.ts";
import { formats } from "./formats.ts";
import type { Schema } from "./schema.ts";

/**
 * What the schema finds wrong with `value`, which takes the place of `old`.
 *
 * Ratcheting: a part that equals its old part is not checked again, so that tightening a schema does not lock
 * objects that were valid before.
 */
export function validateSchema(schema: Schema, value: Json, old: Json | undefined, path = ""): FieldError[] {
  const errors: FieldError[] = [];
  checkSchema(schema, value, old, path, errors);
  return errors;
}

/**
 * What the CEL rules find wrong with `value`, which takes the place of `old`. Only for values in which nothing of
 * a wrong shape was found.
 */
export function validateRules(
  { rules }: Schema,
  value: Json,
  old: Json | undefined,
  path = "",
): readonly FieldError[] {
  return checkRules(rules, value, old, path).errors;
}

function checkSchema(
  schema: Schema,
  value: Json,
  old: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (old !== undefined && deepEqual(value, old)) return;
  if (value === null && schema.nullable) return;
  if (!checkType(schema, value, path, errors)) return;
  if (schema.enum !== undefined && !schema.enum.some((allowed) => deepEqual(allowed, value))) {
    errors.push(notSupported(path, value, schema.enum));
  }
  if (typeof value === "number") checkNumber(schema, value, path, errors);
  else if (typeof value === "string") checkString(schema, value, path, errors);
  else if (Array.isArray(value)) checkList(schema, value, old, path, errors);
  else if (isObject(value)) checkObject(schema, value, old, path, errors);
  checkJunctors(schema, value, path, errors);
}

/** False when the value has the wrong shape, so that nothing else about it makes sense. */
function checkType(schema: Schema, value: Json, path: string, errors: FieldError[]): boolean {
  const actual = typeOf(value);
  const expected = schema.intOrString ? "integer,string" : schema.type;
  const fits =
    expected === undefined ||
    expected === actual ||
    (expected === "number" && actual === "integer") ||
    (schema.intOrString && (actual === "integer" || actual === "string"));
  if (fits) return true;
  errors.push({
    reason: "FieldValueTypeInvalid",
    field: path || "<nil>",
    message: `Invalid value: "${actual}": ${path} in body must be of type ${expected}: "${actual}"`,
    blocking: true,
  });
  return false;
}

function typeOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function checkNumber(schema: Schema, value: number, path: string, errors: FieldError[]): void {
  const { minimum, maximum, multipleOf } = schema;
  const say = (detail: string): void =>
    void errors.push(invalid(path, value, `${path} in body should be ${detail}`));
  if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum)) {
    say(`greater than ${schema.exclusiveMinimum ? "" : "or equal to "}${minimum}`);
  }
  if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum)) {
    say(`less than ${schema.exclusiveMaximum ? "" : "or equal to "}${maximum}`);
  }
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) say(`a multiple of ${multipleOf}`);
  if (schema.format === "int32" && (value < -(2 ** 31) || value > 2 ** 31 - 1)) {
    errors.push(invalid("<nil>", "", `Checked value must be of type integer with format int32 in ${path}`));
  }
}

function isMultiple(value: number, factor: number): boolean {
  const quotient = value / factor;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.max(1, Math.abs(quotient));
}

function checkString(schema: Schema, value: string, path: string, errors: FieldError[]): void {
  const length = schema.minLength === undefined && schema.maxLength === undefined ? 0 : codePoints(value);
  if (schema.maxLength !== undefined && length > schema.maxLength)
    errors.push(tooLong(path, schema.maxLength));
  if (schema.minLength !== undefined && length < schema.minLength) {
    errors.push(invalid(path, value, `${path} in body should be at least ${schema.minLength} chars long`));
  }
  if (schema.pattern !== undefined && !schema.pattern.regex.test(value)) {
    errors.push(invalid(path, value, `${path} in body should match '${schema.pattern.source}'`));
  }
  const format = schema.format === undefined ? undefined : formats.get(schema.format);
  if (format !== undefined && !format(value)) {
    const detail = `${path} in body must be of type ${schema.format}: ${quote(value)}`;
    errors.push({ ...invalid(path, value, detail), reason: "FieldValueTypeInvalid", blocking: true });
  }
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function checkList(
  schema: Schema,
  list: readonly Json[],
  old: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (schema.maxItems !== undefined && list.length > schema.maxItems) {
    errors.push(tooMany(path, list.length, schema.maxItems));
  }
  if (schema.minItems !== undefined && list.length < schema.minItems) {
    errors.push(invalid(path, list.length, `${path} in body should have at least ${schema.minItems} items`));
  }
  checkUnique(schema, list, path, errors);
  if (schema.items === undefined) return;
  const before = correlated(schema, old);
  for (const [i, item] of list.entries()) {
    checkSchema(schema.items, item, before(item), `${path}[${i}]`, errors);
  }
}

function checkUnique(schema: Schema, list: readonly Json[], path: string, errors: FieldError[]): void {
  if (schema.listType === "atomic") return;
  const seen = new Set<string>();
  for (const [i, item] of list.entries()) {
    const identity = identityOf(schema, item);
    const text = writeJson(identity);
    if (seen.has(text)) errors.push(duplicate(`${path}[${i}]`, identity));
    seen.add(text);
  }
}

/** What makes an item itself in a set or map: its value, or the values of its keys. */
function identityOf(schema: Schema, item: Json): Json {
  if (schema.listType === "set" || !isObject(item)) return item;
  const identity: Record<string, Json> = {};
  for (const key of schema.listMapKeys) if (item[key] !== undefined) identity[key] = item[key];
  return identity;
}

/** Finds an item's former self. Only the items of a map have one: in other lists nothing says which it was. */
function correlated(schema: Schema, old: Json | undefined): (item: Json) => Json | undefined {
  if (!Array.isArray(old) || schema.listType !== "map") return () => undefined;
  const byIdentity = new Map<string, Json>();
  for (const item of old) byIdentity.set(writeJson(identityOf(schema, item)), item);
  return (item) => byIdentity.get(writeJson(identityOf(schema, item)));
}

function checkObject(
  schema: Schema,
  object: JsonObject,
  old: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  const count = Object.keys(object).length;
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    errors.push(tooMany(path, count, schema.maxProperties));
  }
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    const detail = `${path} in body should have at least ${schema.minProperties} properties`;
    errors.push(invalid(path, count, detail));
  }
  const needed = schema.embeddedResource ? [...schema.required, "apiVersion", "kind"] : schema.required;
  for (const key of new Set(needed)) {
    if (!Object.hasOwn(object, key)) errors.push(required(join(path, key)));
  }
  for (const key of Object.keys(object)) {
    const property = schema.properties.get(key) ?? schema.additionalProperties;
    if (property === undefined) continue;
    checkSchema(property, object[key] as Json, isObject(old) ? old[key] : undefined, join(path, key), errors);
  }
}

function checkJunctors(schema: Schema, value: Json, path: string, errors: FieldError[]): void {
  const say = (detail: string): void => void errors.push(invalid("<nil>", "", `"${path}" must ${detail}`));
  if (schema.allOf.length > 0) {
    const found = schema.allOf.flatMap((part) => errorsOf(part, value, path));
    errors.push(...found);
    if (found.length > 0) say("validate all the schemas (allOf)");
  }
  if (schema.anyOf.length > 0) {
    const results = schema.anyOf.map((part) => errorsOf(part, value, path));
    if (results.every((found) => found.length > 0)) {
      say("validate at least one schema (anyOf)");
      errors.push(...(results[0] ?? []));
    }
  }
  if (schema.oneOf.length > 0) {
    const results = schema.oneOf.map((part) => errorsOf(part, value, path));
    const valid = results.filter((found) => found.length === 0).length;
    if (valid === 0) {
      say("validate one and only one schema (oneOf). Found none valid");
      errors.push(...(results[0] ?? []));
    } else if (valid > 1) {
      say(`validate one and only one schema (oneOf). Found ${valid} valid alternatives`);
    }
  }
  if (schema.not !== undefined && errorsOf(schema.not, value, path).length === 0)
    say("not validate the schema (not)");
}

function errorsOf(schema: Schema, value: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  checkSchema(schema, value, undefined, path, errors);
  return errors;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
