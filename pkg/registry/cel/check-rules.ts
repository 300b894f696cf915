import { type FieldError, invalid, quote, required } from "../field-error.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { correlated, isUnchanged, isWhole } from "../schema/correlate.ts";
import type { Schema } from "../schema/schema.ts";
import { isError } from "./expression.ts";
import { toilLimit } from "./plan/evaluation.ts";
import type { Rule, RuleNode } from "./rules.ts";
import { schemaValue } from "./schema-value.ts";
import { type CelError, none, Optional, type Value } from "./values/value.ts";

/** What the rules of one object may cost at most. */
const objectBudget = 10_000_000;

/** Longer messages are not used, in bytes. */
const maxMessageBytes = 5 * 1024;

export interface RuleFindings {
  readonly errors: readonly FieldError[];
  /** Broken rules about what did not change: they are let be, and told. */
  readonly warnings: readonly FieldError[];
}

/**
 * What the rules find wrong with `value`, an object that takes the place of `old`. Only for values in which the schema
 * found nothing of a wrong shape.
 *
 * Ratcheting: a broken rule is only a warning where the value it is about equals the one before, so that a new rule
 * does not lock old objects. Rules that read oldSelf are about the change, and always count.
 *
 * @see Kubernetes' apiextensions-apiserver pkg/apiserver/schema/cel/validation.go
 */
export function checkRules(
  rules: RuleNode | undefined,
  value: Json,
  old: Json | undefined,
  path = "",
): RuleFindings {
  const checker = new Checker();
  if (rules !== undefined) {
    const unchanged = isWhole(value) ? never : lazily(() => isUnchanged(rules.schema, value, old));
    const before = { value: old ?? undefined, unchanged, parentUnchanged: never, isRoot: true };
    checker.check(rules, value, before, path);
  }
  return checker;
}

/** What a value was before. */
interface Before {
  readonly value: Json | undefined;
  /** Whether it is still the same; for a value that nothing corresponds to, whether what it is a part of is. */
  readonly unchanged: () => boolean;
  readonly parentUnchanged: () => boolean;
  /** Whether all beneath is taken for unchanged where this is. */
  readonly isAsOne?: boolean;
  readonly isRoot?: boolean;
}

const never = (): boolean => false;

/**
 * Values that all rules beneath a node held for, and what finding that cost. Frozen values are shared between an
 * object's states, so most of an update has been judged before; and a rule without oldSelf says the same each time.
 */
const held = new WeakMap<RuleNode, WeakMap<object, number>>();

class Checker implements RuleFindings {
  readonly errors: FieldError[] = [];
  readonly warnings: FieldError[] = [];
  #budget = objectBudget;
  #toil = toilLimit;
  #exhausted = false;

  check(node: RuleNode, value: Json, before: Before, path: string): void {
    if (value === null || this.#exhausted) return;
    const known = node.hasTransitions ? undefined : heldCost(node, value);
    if (known !== undefined && known <= this.#budget) {
      this.#budget -= known;
      return;
    }
    const [count, budget] = [this.errors.length + this.warnings.length, this.#budget];
    this.#checkRules(node, value, before, path);
    // As upstream, what a part of an allOf speaks of is let be only where all around it is the same.
    const around = { ...before, unchanged: before.parentUnchanged, isAsOne: true };
    for (const part of node.allOf) this.check(part, value, around, path);
    if (Array.isArray(value)) this.#checkItems(node, value, before, path);
    else if (isObject(value)) this.#checkFields(node, value, before, path);
    const sound = !this.#exhausted && this.errors.length + this.warnings.length === count;
    if (sound && !node.hasTransitions) hold(node, value, budget - this.#budget);
  }

  #checkItems(node: RuleNode, list: readonly Json[], before: Before, path: string): void {
    if (node.items === undefined) return;
    const former = correlated(node.schema, before.value);
    for (const [i, item] of list.entries()) {
      this.check(node.items, item, beneath(before, node.items.schema, item, former(item)), `${path}[${i}]`);
    }
  }

  #checkFields(node: RuleNode, object: JsonObject, before: Before, path: string): void {
    const old = isObject(before.value) ? before.value : undefined;
    for (const key of Object.keys(object)) {
      const property = node.properties.get(key);
      const rules = property ?? node.additionalProperties;
      if (rules === undefined) continue;
      const value = object[key] as Json;
      const was = old !== undefined && Object.hasOwn(old, key) ? old[key] : undefined;
      const field = property === undefined ? `${path}[${key}]` : join(path, key);
      const former = beneath(before, rules.schema, value, was);
      // An object's type is not what changes in it, and so not what stayed the same.
      const isType = before.isRoot && (key === "apiVersion" || key === "kind");
      this.check(rules, value, isType ? { ...former, unchanged: never } : former, field);
    }
  }

  #checkRules(node: RuleNode, value: Json, before: Before, path: string): void {
    if (node.rules.length === 0) return;
    if (this.#budget <= 0) {
      this.#give(path, typeOf(node), outOfBudget);
      return;
    }
    const subject = new Subject(node, value, before.value);
    for (const rule of node.rules) {
      if (rule.transition && before.value === undefined && !rule.optionalOldSelf) continue;
      this.#checkRule(node, rule, subject, before, path);
      if (this.#exhausted) return;
    }
  }

  #checkRule(node: RuleNode, rule: Rule, subject: Subject, before: Before, path: string): void {
    const { value, cost, toil } = rule.expression.evaluate(subject.variables(rule), { toil: this.#toil });
    const type = typeOf(node);
    // A rule that costs nothing is work too.
    this.#toil -= toil + 1;
    if (cost > this.#budget || (value === undefined && this.#toil <= 0)) {
      this.#give(path, type, outOfBudget);
      return;
    }
    this.#budget -= cost;
    if (value === undefined) {
      const why =
        "'operation cancelled: actual cost limit exceeded': no further validation rules will be run";
      this.#give(path, type, `${why} due to call cost exceeds limit for rule: ${named(rule)}`);
    } else if (isError(value)) {
      this.errors.push(failure(path, type, value, rule));
    } else if (value !== true) {
      this.#broken(node, rule, subject, before, path);
    }
  }

  #broken(node: RuleNode, rule: Rule, subject: Subject, before: Before, path: string): void {
    const field = rule.fieldPath === "" ? path : join(path, rule.fieldPath);
    const message = this.#messageOf(rule, subject);
    const error =
      message instanceof GivenUp
        ? invalid(field || "<nil>", typeOf(node), message.why)
        : brokenRule(rule, message, subject.json, node.schema, field || "<nil>");
    if (!rule.transition && before.unchanged()) this.warnings.push(error);
    else this.errors.push(error);
    if (message instanceof GivenUp) this.#exhausted = true;
  }

  /** A message that cannot be computed must not hide that the rule is broken: then the plain one is given. */
  #messageOf(rule: Rule, subject: Subject): string | GivenUp {
    const plain = rule.message === "" ? `failed rule: ${rule.source}` : rule.message;
    if (rule.messageExpression === undefined) return plain;
    const { value, cost, toil } = rule.messageExpression.evaluate(subject.variables(rule), {
      toil: this.#toil,
    });
    this.#toil -= toil;
    if (cost > this.#budget) {
      const why = "messageExpression evaluation failed due to running out of cost budget";
      return new GivenUp(`${why}, no further validation rules will be run`);
    }
    if (value === undefined) {
      const why =
        "no further validation rules will be run due to call cost exceeds limit for messageExpression";
      return new GivenUp(`${why}: ${quote(rule.messageExpression.source)}`);
    }
    this.#budget -= cost;
    const text = typeof value === "string" ? value.trim() : "";
    const usable = text !== "" && !text.includes("\n") && Buffer.byteLength(text) <= maxMessageBytes;
    return usable ? text : plain;
  }

  /** Nothing more is evaluated. */
  #give(path: string, type: string, why: string): void {
    this.errors.push(invalid(path || "<nil>", type, why));
    this.#exhausted = true;
  }
}

const outOfBudget =
  "validation failed due to running out of cost budget, no further validation rules will be run";

/** Why no further rules are evaluated. */
class GivenUp {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** What the rules of one node are about, converted once. */
class Subject {
  readonly json: Json;
  readonly #self: Value;
  readonly #oldSelf: Value | undefined;
  readonly #optionalOldSelf: Value;

  constructor({ schema, isResource, rules }: RuleNode, json: Json, old: Json | undefined) {
    this.json = json;
    this.#self = schemaValue(schema, json, isResource);
    const compares = old !== undefined && rules.some(({ transition }) => transition);
    this.#oldSelf = compares ? schemaValue(schema, old, isResource) : undefined;
    this.#optionalOldSelf = this.#oldSelf === undefined ? none : new Optional(this.#oldSelf);
  }

  variables({ optionalOldSelf }: Rule): readonly (Value | undefined)[] {
    return [this.#self, optionalOldSelf ? this.#optionalOldSelf : this.#oldSelf];
  }
}

function failure(path: string, type: string, { message }: CelError, rule: Rule): FieldError {
  // Most wrong arguments are found when a rule is compiled, and told better there.
  const detail = message.startsWith("no such overload")
    ? `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${named(rule)}`
    : `${message} evaluating rule: ${named(rule)}`;
  return invalid(path || "<nil>", type, detail);
}

function brokenRule(rule: Rule, message: string, value: Json, schema: Schema, field: string): FieldError {
  // As kube-apiserver has it, an object or list is not repeated in the message.
  const whole = schema.type === "object" || schema.type === "array";
  switch (rule.reason) {
    case "FieldValueRequired":
      return required(field, message);
    case "FieldValueForbidden":
      return { reason: rule.reason, field, message: `Forbidden: ${message}` };
    case "FieldValueDuplicate":
      return {
        reason: rule.reason,
        field,
        message: whole ? "Duplicate value" : `Duplicate value: ${quote(value)}`,
      };
    default: {
      const shown = whole ? "" : `${quote(value)}: `;
      return { reason: "FieldValueInvalid", field, message: `Invalid value: ${shown}${message}` };
    }
  }
}

function named({ message, source }: Rule): string {
  return message === "" ? source : message;
}

function typeOf({ schema }: RuleNode): string {
  return schema.type ?? "";
}

/** @param old - what `value` was before; undefined: nothing tells */
function beneath(parent: Before, schema: Schema, value: Json, old: Json | undefined): Before {
  const { unchanged, isAsOne } = parent;
  if (isAsOne || old === undefined) {
    return { value: old ?? undefined, unchanged, parentUnchanged: unchanged, isAsOne: true };
  }
  return {
    value: old ?? undefined,
    unchanged: lazily(() => isUnchanged(schema, value, old)),
    parentUnchanged: unchanged,
  };
}

function heldCost(node: RuleNode, value: Json): number | undefined {
  return typeof value === "object" && value !== null ? held.get(node)?.get(value) : undefined;
}

/** Only a frozen value stays as it was found. */
function hold(node: RuleNode, value: Json, cost: number): void {
  if (typeof value !== "object" || value === null || !Object.isFrozen(value)) return;
  let values = held.get(node);
  if (values === undefined) {
    values = new WeakMap();
    held.set(node, values);
  }
  values.set(value, cost);
}

function lazily(compute: () => boolean): () => boolean {
  let known: boolean | undefined;
  return () => {
    known ??= compute();
    return known;
  };
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
