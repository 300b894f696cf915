import { Optional } from "@marcbachmann/cel-js";
import { type FieldError, invalid, quote, required } from "../field-error.ts";
import { isObject, type Json } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import { type Expression, parseExpression } from "./environment.ts";
import { celValue } from "./value.ts";

/** One entry of `x-kubernetes-validations`, compiled. */
export interface Rule {
  readonly source: string;
  readonly expression: Expression;
  readonly messageExpression: Expression | undefined;
  readonly message: string | undefined;
  readonly reason: FieldError["reason"];
  readonly fieldPath: string;
  /** Reads oldSelf: evaluated only where there was a value before, unless `optionalOldSelf`. */
  readonly transition: boolean;
  readonly optionalOldSelf: boolean;
}

/** Compiles `x-kubernetes-validations`. Throws Error naming the rule that is wrong. */
export function compileRules(declared: Json | undefined): readonly Rule[] {
  if (!Array.isArray(declared)) return [];
  return declared.filter(isObject).map((entry) => {
    const source = String(entry.rule);
    try {
      const expression = parseExpression(source);
      return {
        source,
        expression,
        messageExpression:
          typeof entry.messageExpression === "string" ? parseExpression(entry.messageExpression) : undefined,
        message: typeof entry.message === "string" ? entry.message : undefined,
        reason: (entry.reason ?? "FieldValueInvalid") as FieldError["reason"],
        fieldPath: typeof entry.fieldPath === "string" ? entry.fieldPath : "",
        transition: expression.reads.has("oldSelf"),
        optionalOldSelf: entry.optionalOldSelf === true,
      };
    } catch (cause) {
      throw new Error(`The rule \`${source}\` is not valid: ${firstLine(cause)}`, { cause });
    }
  });
}

/** Evaluates the rules of one schema node on `value`; `old` is the value it replaces, where there is one. */
export function checkRules(schema: Schema, value: Json, old: Json | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const self = celValue(schema, value);
  const before = old === undefined ? undefined : celValue(schema, old);
  for (const rule of schema.rules) {
    if (rule.transition && before === undefined && !rule.optionalOldSelf) continue;
    const oldSelf = rule.optionalOldSelf ? Optional.of(before) : before;
    const error = check(rule, { self, oldSelf }, value, field);
    if (error !== undefined) errors.push(error);
  }
  return errors;
}

function check(
  rule: Rule,
  context: { self: unknown; oldSelf: unknown },
  value: Json,
  field: string,
): FieldError | undefined {
  let passed: unknown;
  try {
    passed = rule.expression.evaluate(context);
  } catch (error) {
    return invalid(field || "<nil>", typeName(value), `${firstLine(error)} evaluating rule: ${rule.source}`);
  }
  if (passed === true) return undefined;
  return failure(
    rule,
    messageOf(rule, context),
    value,
    `${field}${rule.fieldPath}`.replace(/^\./, "") || "<nil>",
  );
}

function failure(rule: Rule, message: string, value: Json, field: string): FieldError {
  switch (rule.reason) {
    case "FieldValueRequired":
      return { ...required(field, message), blocking: false };
    case "FieldValueForbidden":
      return { reason: rule.reason, field, message: `Forbidden: ${message}` };
    case "FieldValueDuplicate":
      return {
        reason: rule.reason,
        field,
        message: typeof value === "object" ? "Duplicate value" : `Duplicate value: ${quote(value)}`,
      };
    default: {
      // As kube-apiserver has it, an object or list is not repeated in the message.
      const shown = typeof value === "object" ? "" : `${quote(value)}: `;
      return { reason: "FieldValueInvalid", field, message: `Invalid value: ${shown}${message}` };
    }
  }
}

function messageOf(rule: Rule, context: { self: unknown; oldSelf: unknown }): string {
  const fallback = rule.message ?? `failed rule: ${rule.source}`;
  if (rule.messageExpression === undefined) return fallback;
  try {
    const text = rule.messageExpression.evaluate(context);
    return typeof text === "string" && text.trim() !== "" && !text.includes("\n") ? text : fallback;
  } catch {
    // A message that cannot be computed must not hide that the rule failed.
    return fallback;
  }
}

function typeName(value: Json): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return value === null ? "null" : typeof value;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split("\n", 1)[0] ?? text).trim();
}
