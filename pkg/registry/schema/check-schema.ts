import { sameJson } from "../../api/same-json.ts";
import { type FieldError, invalid, notSupported, quote, required, tooLong, tooMany } from "../field-error.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { correlated, isUnchanged, isWhole } from "./correlate.ts";
import { checkNumber, isGoInteger, isJsonInteger, plainError } from "./numbers.ts";
import { Result } from "./result.ts";
import type { Schema } from "./schema.ts";

export interface CheckOptions {
  /** Where the value lies in the object, when it is a part: causes name it so, messages don't. */
  readonly root?: string;
  /** Paths of whole numbers that were written as floats. */
  readonly wholeFloats?: ReadonlySet<string>;
}

/**
 * What the schema finds wrong with `value`, which takes the place of `old`, in kube-apiserver's words and with its
 * quirks: every check runs, whatever the others found.
 *
 * Ratcheting: a part that equals its old part is not checked again, so that tightening a schema does not lock
 * objects that were valid before. A whole object never does, for its metadata says of each write that it is another.
 */
export function validateSchema(
  schema: Schema,
  value: Json,
  old: Json | undefined,
  { root = "", wholeFloats = none }: CheckOptions = {},
): readonly FieldError[] {
  const out = new Result();
  const former = old === undefined ? undefined : { schema, value: old };
  new Checker(root, wholeFloats).check(schema, value, former, "", out);
  return out.errors;
}

const none: ReadonlySet<string> = new Set();

/** What a value was before. */
interface Former {
  readonly value: Json;
  /** What tells the parts of both from each other: the schema of the field itself, and of none of its alternatives. */
  readonly schema: Schema;
}

function formerField(former: Former | undefined, key: string): Former | undefined {
  if (former === undefined || !isObject(former.value) || !Object.hasOwn(former.value, key)) return undefined;
  const schema = former.schema.properties.get(key) ?? former.schema.additionalProperties;
  return schema === undefined ? undefined : { schema, value: former.value[key] as Json };
}

function formerItems({ schema, value }: Former): (item: Json) => Former | undefined {
  const { items } = schema;
  if (items === undefined) return () => undefined;
  const formerItem = correlated(schema, value);
  return (item) => {
    const before = formerItem(item);
    return before === undefined ? undefined : { schema: items, value: before };
  };
}

class Checker {
  readonly #root: string;
  readonly #wholeFloats: ReadonlySet<string>;

  constructor(root: string, wholeFloats: ReadonlySet<string>) {
    this.#root = root;
    this.#wholeFloats = wholeFloats;
  }

  check(schema: Schema, value: Json, former: Former | undefined, path: string, out: Result): void {
    if (former !== undefined && this.#isUnchanged(value, former, path)) return;
    const kind = this.#kindOf(value, path);
    this.#checkType(schema, kind, value, path, out);
    if (value === null) {
      this.#checkEnum(schema, value, path, out);
      return;
    }
    if (schema.hasAlternatives) this.#checkAlternatives(schema, value, former, path, out);
    if (typeof value === "string") this.#checkString(schema, value, path, out);
    else if (typeof value === "number" || typeof value === "bigint") {
      const place = { path, field: this.#field(path), root: this.#root };
      checkNumber(schema, value, kind === "integer", place, out);
    } else if (Array.isArray(value)) this.#checkList(schema, value, former, path, out);
    else if (isObject(value)) this.#checkObject(schema, value, former, path, out);
    this.#checkEnum(schema, value, path, out);
    out.matches++;
  }

  #kindOf(value: Json, path: string): string {
    if (value === null) return "null";
    if (Array.isArray(value)) return "array";
    if (typeof value === "bigint" || typeof value === "number") {
      return isGoInteger(value, this.#wholeFloats.has(path)) ? "integer" : "number";
    }
    return typeof value;
  }

  #checkType(schema: Schema, kind: string, value: Json, path: string, out: Result): void {
    const fault = typeFault(schema, kind, value);
    if (fault === undefined) out.matches++;
    else out.add(this.#typeError(path, fault.expected, fault.actual, fault.actual));
  }

  #typeError(path: string, expected: string, actual: string, value: Json): FieldError {
    const detail = `${path} in body must be of type ${expected}: ${quote(actual)}`;
    return { ...invalid(this.#field(path), value, detail), reason: "FieldValueTypeInvalid" };
  }

  #checkEnum(schema: Schema, value: Json, path: string, out: Result): void {
    if (schema.enum === undefined || schema.enum.length === 0) return;
    // A null among the allowed values allows nothing, as in kube-apiserver.
    if (value !== null && schema.enum.some((allowed) => sameJson(allowed, value))) return;
    out.add(notSupported(this.#field(path), value, schema.enum));
  }

  /** The first fault of length and pattern is told, and the format's. */
  #checkString(schema: Schema, value: string, path: string, out: Result): void {
    const { minLength, maxLength, pattern, check } = schema;
    const length = minLength === undefined && maxLength === undefined ? 0 : codePoints(value);
    if (maxLength !== undefined && length > maxLength) out.add(tooLong(this.#field(path), maxLength));
    else if (minLength !== undefined && length < minLength) {
      out.add(
        invalid(this.#field(path), value, `${path} in body should be at least ${minLength} chars long`),
      );
    } else if (pattern !== undefined && !pattern.regex.test(value)) {
      out.add(invalid(this.#field(path), value, `${path} in body should match '${pattern.source}'`));
    }
    if (check !== undefined && !check(value))
      out.add(this.#typeError(path, schema.format ?? "", value, value));
  }

  #checkList(
    schema: Schema,
    list: readonly Json[],
    former: Former | undefined,
    path: string,
    out: Result,
  ): void {
    const { items, minItems, maxItems } = schema;
    if (items !== undefined) {
      const formerItem = former === undefined ? () => undefined : formerItems(former);
      list.forEach((item, i) => {
        this.check(items, item, formerItem(item), `${path}[${i}]`, out);
      });
    }
    if (minItems !== undefined && list.length < minItems) {
      const detail = `${path} in body should have at least ${minItems} items`;
      out.add(invalid(this.#field(path), list.length, detail));
    }
    if (maxItems !== undefined && list.length > maxItems)
      out.add(tooMany(this.#field(path), list.length, maxItems));
    out.matches++;
  }

  #checkObject(
    schema: Schema,
    object: JsonObject,
    former: Former | undefined,
    path: string,
    out: Result,
  ): void {
    const { minProperties, maxProperties } = schema;
    const keys = Object.keys(object);
    if (minProperties !== undefined && keys.length < minProperties) {
      const detail = `${path} in body should have at least ${minProperties} properties`;
      out.add(invalid(this.#field(path), keys.length, detail));
    }
    if (maxProperties !== undefined && keys.length > maxProperties) {
      out.add(tooMany(this.#field(path), keys.length, maxProperties));
    }
    for (const key of keys) {
      const property = schema.properties.get(key) ?? schema.additionalProperties;
      if (property !== undefined) {
        this.check(property, object[key] as Json, formerField(former, key), join(path, key), out);
      }
    }
    for (const key of schema.required) {
      if (!Object.hasOwn(object, key)) out.add(required(this.#field(join(path, key))));
    }
  }

  #checkAlternatives(
    schema: Schema,
    value: Json,
    former: Former | undefined,
    path: string,
    out: Result,
  ): void {
    const result = new Result();
    const say = (text: string): void => result.add(plainError(this.#root, `"${path}" must ${text}`));
    const results = (schemas: readonly Schema[]) =>
      schemas.map((part) => this.#resultOf(part, value, former, path));
    if (schema.anyOf.length > 0) {
      const tried = results(schema.anyOf);
      const passed = tried.find((each) => each.isValid);
      if (passed === undefined) say("validate at least one schema (anyOf)");
      result.merge(passed ?? closest(tried));
    }
    if (schema.oneOf.length > 0) {
      const tried = results(schema.oneOf);
      const passed = tried.filter((each) => each.isValid);
      const [only] = passed;
      if (only === undefined) {
        say("validate one and only one schema (oneOf). Found none valid");
        result.merge(closest(tried));
      } else if (passed.length === 1) result.merge(only);
      else say(`validate one and only one schema (oneOf). Found ${passed.length} valid alternatives`);
    }
    if (schema.allOf.length > 0) {
      const tried = results(schema.allOf);
      const failed = tried.filter((each) => !each.isValid);
      for (const each of tried) result.merge(each);
      if (failed.length === tried.length) say("validate all the schemas (allOf). None validated");
      else if (failed.length > 0) say("validate all the schemas (allOf)");
    }
    if (schema.not !== undefined && this.#resultOf(schema.not, value, former, path).isValid) {
      say("not validate the schema (not)");
    }
    result.matches++;
    out.merge(result);
  }

  #resultOf(schema: Schema, value: Json, former: Former | undefined, path: string): Result {
    const result = new Result();
    this.check(schema, value, former, path, result);
    return result;
  }

  #isUnchanged(value: Json, former: Former, path: string): boolean {
    if (path === "" && this.#root === "" && isWhole(value)) return false;
    return isUnchanged(former.schema, value, former.value);
  }

  /** The path as causes name it. */
  #field(path: string): string {
    if (this.#root === "") return path === "" ? "<nil>" : path;
    return path === "" ? this.#root : join(this.#root, path);
  }
}

/** Of results that all failed, the first with the most that was right. */
function closest(results: readonly Result[]): Result {
  return results.reduce((best, each) => (each.matches > best.matches ? each : best));
}

/**
 * How a value's type differs from the schema's; undefined when it does not.
 *
 * A format speaks for the type: a string or list under a string's format passes whatever the type says, and any other
 * value is told to be of that format.
 */
function typeFault(
  { types, nullable, format }: Schema,
  kind: string,
  value: Json,
): { expected: string; actual: string } | undefined {
  if (value === null) {
    return types.length === 0 || nullable ? undefined : { expected: types.join(","), actual: "null" };
  }
  if (types.length === 0 && format === undefined) return undefined;
  const numeric = types.includes("number") || types.includes("integer");
  const passes =
    types.includes(kind) ||
    (kind === "integer" && types.includes("number")) ||
    (kind === "number" && types.includes("integer") && isJsonInteger(Number(value)));
  if (format !== undefined && (kind === "string" || kind === "array")) {
    if (!numeric) return undefined;
  } else if (format !== undefined) {
    const actual = kind === "integer" ? "int64" : kind === "number" ? "float64" : "";
    return passes || actual === format ? undefined : { expected: format, actual };
  }
  return passes ? undefined : { expected: types.join(","), actual: kind };
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
