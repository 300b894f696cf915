import { type FieldError, invalid } from "../field-error.ts";
import { goJson } from "../go-json.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import { bool, optionalOf, string, type Type } from "./check/type.ts";
import { declaredType } from "./declared-type.ts";
import { compileExpression, type Expression } from "./expression.ts";
import { normalizedFieldPath } from "./field-path.ts";
import { ruleShapeFaults } from "./rule-shape.ts";
import { SourceError } from "./syntax/source-error.ts";
import { mapValues } from "./value-schema.ts";

/** One entry of `x-kubernetes-validations`, compiled over `self` and `oldSelf`. */
export interface Rule {
  readonly source: string;
  readonly expression: Expression;
  readonly messageExpression: Expression | undefined;
  readonly message: string;
  readonly reason: FieldError["reason"];
  /** The field beneath the rule's own that errors are about, or "". */
  readonly fieldPath: string;
  /** Reads oldSelf: evaluated only where there was a value before, unless `optionalOldSelf`. */
  readonly transition: boolean;
  readonly optionalOldSelf: boolean;
}

/** The rules of one node of a schema and of the nodes beneath, those without rules left out. */
export interface RuleNode {
  readonly schema: Schema;
  /** Whether its values are whole objects. */
  readonly isResource: boolean;
  readonly rules: readonly Rule[];
  /** Rules in an allOf, about the same value. */
  readonly allOf: readonly RuleNode[];
  readonly items: RuleNode | undefined;
  readonly additionalProperties: RuleNode | undefined;
  readonly properties: ReadonlyMap<string, RuleNode>;
  /** Whether a rule here or beneath reads oldSelf. */
  readonly hasTransitions: boolean;
}

/** A rule that cannot be used. */
export class RuleError extends Error {
  override readonly name = "RuleError";
  /** As kube-apiserver tells it, about a field such as `properties[spec].x-kubernetes-validations[0].rule`. */
  readonly fault: FieldError;

  constructor(fault: FieldError, rule: string, detail: string) {
    super(`The rule \`${rule}\` is not valid: ${detail}`);
    this.fault = fault;
  }

  /** Where in the schema. */
  get path(): string {
    return this.fault.field;
  }
}

export interface CompileRulesOptions {
  /** Where the schema is; messages name the rules beneath it. */
  readonly at?: string;
  /** Told of each rule that cannot be used; throws the first by default. */
  readonly onError?: (error: RuleError) => void;
}

/**
 * Compiles all rules of a schema; undefined when it has none.
 *
 * @param declared - the schema as declared, from which `schema` was compiled
 */
export function compileRules(
  declared: Json,
  schema: Schema,
  { at = "", onError = raise }: CompileRulesOptions = {},
): RuleNode | undefined {
  if (!isObject(declared) || !declaresRules(declared)) return undefined;
  // Only an object with fields can be a whole one; a schema of something else is compiled alone in tests.
  const isResource = schema.type === "object" && mapValues(schema) === undefined;
  return compileNode(declared, schema, { path: at, isResource, uncorrelatable: undefined, onError });
}

interface Place {
  /** In the schema. */
  readonly path: string;
  readonly isResource: boolean;
  /** The node above from which on there is no telling what a value was before. */
  readonly uncorrelatable: string | undefined;
  readonly onError: (error: RuleError) => void;
}

function raise(error: RuleError): never {
  throw error;
}

/** Most schemas of a CRD have no rules, and need no types for them. */
function declaresRules(declared: JsonObject): boolean {
  if (
    Array.isArray(declared["x-kubernetes-validations"]) &&
    declared["x-kubernetes-validations"].length > 0
  ) {
    return true;
  }
  const { properties, items, additionalProperties, allOf } = declared;
  const beneath = [
    ...(isObject(properties) ? Object.values(properties) : []),
    ...(Array.isArray(allOf) ? allOf : []),
    items,
    additionalProperties,
  ];
  return beneath.some((part) => isObject(part) && declaresRules(part));
}

/** @param declared - where the rules are: the node itself, or the part of an allOf that speaks of it */
function compileNode(declared: JsonObject, schema: Schema, place: Place): RuleNode | undefined {
  if (!declaresRules(declared)) return undefined;
  const { items: declaredItems, additionalProperties: declaredValues } = declared;
  const items =
    isObject(declaredItems) && schema.items !== undefined
      ? compileNode(declaredItems, schema.items, beneathItems(schema, schema.items, place))
      : undefined;
  const additionalProperties =
    isObject(declaredValues) && schema.additionalProperties !== undefined
      ? compileNode(
          declaredValues,
          schema.additionalProperties,
          beneath(place, ".additionalProperties", schema.additionalProperties),
        )
      : undefined;
  const properties = compileProperties(declared.properties, schema, place);
  const allOf = (Array.isArray(declared.allOf) ? declared.allOf : []).flatMap((part, i) => {
    const path = joined(place.path, `.allOf[${i}]`);
    const node = isObject(part) ? compileNode(part, schema, { ...place, path }) : undefined;
    return node === undefined ? [] : [node];
  });
  const parts = [items, additionalProperties, ...properties.values(), ...allOf];
  // Last, as kube-apiserver tells what is wrong with them.
  const rules = ownRules(declared, schema, place);
  return {
    schema,
    isResource: place.isResource,
    rules,
    allOf,
    items,
    additionalProperties,
    properties,
    hasTransitions:
      rules.some(({ transition }) => transition) || parts.some((part) => part?.hasTransitions === true),
  };
}

function compileProperties(
  declared: Json | undefined,
  schema: Schema,
  place: Place,
): ReadonlyMap<string, RuleNode> {
  const nodes = new Map<string, RuleNode>();
  if (!isObject(declared)) return nodes;
  for (const [name, property] of Object.entries(declared)) {
    const of = schema.properties.get(name);
    if (of === undefined || !isObject(property)) continue;
    const node = compileNode(property, of, beneath(place, `.properties[${name}]`, of));
    if (node !== undefined) nodes.set(name, node);
  }
  return nodes;
}

function beneath(place: Place, step: string, schema: Schema): Place {
  return { ...place, path: joined(place.path, step), isResource: schema.embeddedResource };
}

/** Only the items of a map can be told from each other, and so have a value before. */
function beneathItems(schema: Schema, items: Schema, place: Place): Place {
  const uncorrelatable = place.uncorrelatable ?? (schema.listType === "map" ? undefined : place.path);
  return { ...beneath(place, ".items", items), uncorrelatable };
}

function joined(path: string, step: string): string {
  return path === "" ? step.replace(/^\./, "") : `${path}${step}`;
}

function ownRules(declared: JsonObject, schema: Schema, place: Place): readonly Rule[] {
  const entries = declared["x-kubernetes-validations"];
  if (!Array.isArray(entries) || entries.length === 0) return [];
  const type = declaredType(schema, place.isResource, "selfType");
  const path = joined(place.path, ".x-kubernetes-validations");
  return entries.filter(isObject).flatMap((entry, i) => {
    const rule = compileRule(entry, schema, type, { ...place, path: `${path}[${i}]` });
    return rule === undefined ? [] : [rule];
  });
}

/** @param place - of the entry */
function compileRule(
  entry: JsonObject,
  schema: Schema,
  type: Type | undefined,
  place: Place,
): Rule | undefined {
  const source = text(entry.rule).trim();
  const [message, messageSource] = [text(entry.message), text(entry.messageExpression)];
  const faults = new Faults(entry, source, place);
  const fieldPath = text(entry.fieldPath);
  const field = fieldPath === "" ? "" : normalizedFieldPath(fieldPath.trim(), schema);
  for (const fault of ruleShapeFaults(entry, place.path)) faults.add(fault);
  if (field === undefined) faults.invalid("fieldPath", fieldPath, "must be a valid path");
  if (type === undefined) faults.rule("rule", "failed to convert to declType for CEL validation rules");
  if (faults.found || type === undefined) return undefined;

  const optionalOldSelf = entry.optionalOldSelf === true;
  const variables = new Map([
    ["self", type],
    ["oldSelf", optionalOldSelf ? optionalOf(type) : type],
  ]);
  const expression = compiled(source, variables, bool, "cel expression must evaluate to a bool", (detail) =>
    faults.rule("rule", detail),
  );
  if (expression === undefined) return undefined;
  const messageExpression = compileMessage(messageSource, variables, faults);
  const transition = expression.reads.has("oldSelf");
  if (transition && place.uncorrelatable !== undefined) {
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelatable}`;
    faults.invalid("rule", text(entry.rule), why);
  }
  if (!transition && entry.optionalOldSelf !== undefined) {
    const why = "may not be set if oldSelf is not used in rule";
    faults.invalid("optionalOldSelf", entry.optionalOldSelf, why);
  }
  if (faults.found) return undefined;
  return {
    source,
    expression,
    messageExpression,
    message: message.trim(),
    reason: (text(entry.reason) || "FieldValueInvalid") as FieldError["reason"],
    fieldPath: field ?? "",
    transition,
    optionalOldSelf,
  };
}

/** What is wrong with one entry, told as it is found. */
class Faults {
  found = false;
  readonly #entry: JsonObject;
  readonly #source: string;
  readonly #place: Place;

  constructor(entry: JsonObject, source: string, place: Place) {
    this.#entry = entry;
    this.#source = source;
    this.#place = place;
  }

  /** About an expression: then the message holds the whole entry. */
  rule(part: "rule" | "messageExpression", detail: string): void {
    const { rule, message, messageExpression, reason, fieldPath, optionalOldSelf } = this.#entry;
    const whole = [
      ["Rule", text(rule)],
      ["Message", text(message)],
      ["MessageExpression", text(messageExpression)],
      ["Reason", reason ?? null],
      ["FieldPath", text(fieldPath)],
      ["OptionalOldSelf", optionalOldSelf ?? null],
    ] as const;
    const json = whole.map(([name, value]) => `"${name}":${goJson(value)}`).join(",");
    const field = `${this.#place.path}.${part}`;
    this.add({ reason: "FieldValueInvalid", field, message: `Invalid value: {${json}}: ${detail}` }, detail);
  }

  invalid(part: string, value: Json, detail: string): void {
    this.add(invalid(`${this.#place.path}.${part}`, value, detail), detail);
  }

  add(fault: FieldError, detail = fault.message): void {
    this.found = true;
    this.#place.onError(new RuleError(fault, this.#source, detail));
  }
}

function compileMessage(
  source: string,
  variables: ReadonlyMap<string, Type>,
  faults: Faults,
): Expression | undefined {
  if (source === "") return undefined;
  return compiled(source, variables, string, "messageExpression must evaluate to a string", (detail) =>
    faults.rule("messageExpression", detail.replace(/^compilation/, "messageExpression compilation")),
  );
}

function compiled(
  source: string,
  variables: ReadonlyMap<string, Type>,
  wanted: Type,
  otherwise: string,
  refuse: (detail: string) => void,
): Expression | undefined {
  try {
    const expression = compileExpression(source, variables);
    if (expression.type.kind === wanted.kind) return expression;
    refuse(otherwise);
  } catch (error) {
    const failed = error instanceof SourceError ? "compilation failed" : "program instantiation failed";
    refuse(`${failed}: ${(error as Error).message}`);
  }
  return undefined;
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
