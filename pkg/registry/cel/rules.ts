import type { FieldError } from "../field-error.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import { bool, optionalOf, string, type Type } from "./check/type.ts";
import { declaredType } from "./declared-type.ts";
import { compileExpression, type Expression } from "./expression.ts";
import { normalizedFieldPath } from "./field-path.ts";
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
  /** Where in the schema: `properties[spec].x-kubernetes-validations[0].rule`. */
  readonly path: string;
  /** What kube-apiserver says of it. */
  readonly detail: string;

  constructor(path: string, detail: string, rule: string) {
    super(`The rule \`${rule}\` is not valid: ${detail}`);
    this.path = path;
    this.detail = detail;
  }
}

/**
 * Compiles all rules of a schema; undefined when it has none.
 *
 * @param declared - the schema as declared, from which `schema` was compiled
 * @param onError - told of each rule that cannot be used; throws the first by default
 */
export function compileRules(
  declared: Json,
  schema: Schema,
  onError: (error: RuleError) => void = raise,
): RuleNode | undefined {
  if (!isObject(declared) || !declaresRules(declared)) return undefined;
  // Only an object with fields can be a whole one; a schema of something else is compiled alone in tests.
  const isResource = schema.type === "object" && mapValues(schema) === undefined;
  return compileNode(declared, schema, { path: "", isResource, uncorrelatable: undefined, onError });
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
  const rules = ownRules(declared, schema, place);
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

const reasons = new Set([
  "FieldValueDuplicate",
  "FieldValueForbidden",
  "FieldValueInvalid",
  "FieldValueRequired",
]);

function compileRule(
  entry: JsonObject,
  schema: Schema,
  type: Type | undefined,
  place: Place,
): Rule | undefined {
  const source = text(entry.rule).trim();
  let sound = true;
  const refuse = (part: string, detail: string): void => {
    sound = false;
    place.onError(new RuleError(`${place.path}.${part}`, detail, source));
  };
  const [message, messageSource] = [text(entry.message), text(entry.messageExpression)];
  if (source === "") refuse("rule", "rule is not specified");
  else if (message !== "" && message.trim() === "") refuse("message", "must be non-empty if specified");
  else if (message.trim().includes("\n")) refuse("message", "must not contain line breaks");
  else if (source.includes("\n") && message.trim() === "") {
    refuse("message", "message must be specified if rule contains line breaks");
  }
  if (messageSource !== "" && messageSource.trim() === "") {
    refuse("messageExpression", "messageExpression must be non-empty if specified");
  }
  const reason = text(entry.reason) || "FieldValueInvalid";
  if (!reasons.has(reason)) {
    const supported = [...reasons].map((known) => JSON.stringify(known)).join(", ");
    refuse("reason", `supported values: ${supported}`);
  }
  const fieldPath = text(entry.fieldPath);
  const field = fieldPath === "" ? "" : normalizedFieldPath(fieldPath.trim(), schema);
  if (field === undefined) refuse("fieldPath", "must be a valid path");
  if (type === undefined) refuse("rule", "failed to convert to declType for CEL validation rules");
  if (!sound || type === undefined) return undefined;

  const optionalOldSelf = entry.optionalOldSelf === true;
  const variables = new Map([
    ["self", type],
    ["oldSelf", optionalOldSelf ? optionalOf(type) : type],
  ]);
  const expression = compiled(source, variables, bool, "cel expression must evaluate to a bool", (detail) =>
    refuse("rule", detail),
  );
  const messageExpression =
    messageSource === ""
      ? undefined
      : compiled(messageSource, variables, string, "messageExpression must evaluate to a string", (detail) =>
          refuse("messageExpression", detail.replace(/^compilation/, "messageExpression compilation")),
        );
  if (expression === undefined) return undefined;
  const transition = expression.reads.has("oldSelf");
  if (transition && place.uncorrelatable !== undefined) {
    const where = place.uncorrelatable;
    refuse("rule", `oldSelf cannot be used on the uncorrelatable portion of the schema within ${where}`);
  }
  if (!transition && entry.optionalOldSelf !== undefined) {
    refuse("optionalOldSelf", "may not be set if oldSelf is not used in rule");
  }
  if (!sound) return undefined;
  return {
    source,
    expression,
    messageExpression,
    message: message.trim(),
    reason: reason as FieldError["reason"],
    fieldPath: field ?? "",
    transition,
    optionalOldSelf,
  };
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
