/** CEL rules as conditions of JSON Schema, where that can be said. */
import type { Node } from "../../pkg/registry/cel/syntax/ast.ts";
import { parse } from "../../pkg/registry/cel/syntax/parser.ts";
import type { Schema } from "./crds.ts";

export interface JsonSchema {
  [keyword: string]: unknown;
}

/**
 * What `rule` over the fields of `schema` says, as a JSON Schema that fails with `message`; undefined for a rule that
 * does more than to combine with `||` and `!` whether fields are there and which of a list of values they have.
 *
 * One alternative becomes the demand, which an editor shows at the field in question, when none of the others holds.
 */
export function ruleSchema(rule: string, message: string, schema: Schema): JsonSchema | undefined {
  const tests = alternativesOf(parse(rule)).map(testOf);
  if (!tests.every((test) => test !== undefined)) return undefined;
  // "One of them must be there" is said best where it is missing; else the last one is what the rule is about.
  const demanded = tests.find(({ is, negated }) => is === "there" && !negated) ?? tests.at(-1);
  if (demanded === undefined) return undefined;
  const then = demand(demanded, message);
  const others = tests.filter((test) => test !== demanded).map((test) => not(holds(test, schema)));
  if (others.length === 0) return then;
  return { if: others.length === 1 ? others[0] : { allOf: others }, then };
}

/** Whether the field at `path` is there, or has one of `values`. */
type Test = { path: readonly string[]; negated: boolean } & (
  | { is: "there" }
  | { is: "oneOf"; values: readonly unknown[] }
);

function alternativesOf(node: Node): readonly Node[] {
  return node.kind === "call" && node.name === "_||_" ? node.args.flatMap(alternativesOf) : [node];
}

function testOf(node: Node): Test | undefined {
  if (node.kind === "select" && node.test) {
    const path = pathOf({ ...node, test: false });
    return path === undefined ? undefined : { is: "there", path, negated: false };
  }
  if (node.kind !== "call") return undefined;
  const [left, right] = node.args;
  if (left === undefined) return undefined;
  if (node.name === "!_") {
    const test = testOf(left);
    return test === undefined ? undefined : { ...test, negated: !test.negated };
  }
  const path = pathOf(left);
  if (path === undefined || right === undefined) return undefined;
  if (node.name === "_==_" || node.name === "_!=_") {
    if (right.kind !== "literal") return undefined;
    return { is: "oneOf", path, values: [plain(right.value)], negated: node.name === "_!=_" };
  }
  if (node.name !== "@in" || right.kind !== "list") return undefined;
  const values = right.elements.map((item) => (item.kind === "literal" ? plain(item.value) : undefined));
  return values.includes(undefined) ? undefined : { is: "oneOf", path, values, negated: false };
}

/** `self.a.b` as its fields; undefined for anything else, `self` itself too. */
function pathOf(node: Node): readonly string[] | undefined {
  if (node.kind !== "select" || node.test) return undefined;
  if (node.operand.kind === "ident") return node.operand.name === "self" ? [node.field] : undefined;
  const before = pathOf(node.operand);
  return before === undefined ? undefined : [...before, node.field];
}

function plain(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

/** A schema that is valid exactly where the test holds. */
function holds(test: Test, schema: Schema): JsonSchema {
  const leaf = test.is === "there" ? {} : { enum: test.values };
  // An absent field has its default, when rules look.
  const needsIt = test.is === "there" || !test.values.includes(fieldAt(schema, test.path)?.default);
  const positive = test.path.reduceRight<JsonSchema>(
    (inner, field) => ({ properties: { [field]: inner }, ...(needsIt ? { required: [field] } : {}) }),
    leaf,
  );
  return test.negated ? not(positive) : positive;
}

function not(schema: JsonSchema): JsonSchema {
  const keywords = Object.keys(schema);
  return keywords.length === 1 && keywords[0] === "not" ? (schema.not as JsonSchema) : { not: schema };
}

function fieldAt(schema: Schema, path: readonly string[]): Schema | undefined {
  return path.reduce<Schema | undefined>((at, field) => at?.properties?.[field], schema);
}

/** A schema that fails with `message` at the field, or at what should hold it. */
function demand(test: Test, message: string): JsonSchema {
  const field = test.path.at(-1) ?? "";
  const parent: JsonSchema =
    test.is === "there"
      ? test.negated
        ? { properties: { [field]: false }, errorMessage: message }
        : { required: [field], errorMessage: message }
      : { properties: { [field]: among(test.values, test.negated, message) } };
  return test.path
    .slice(0, -1)
    .reduceRight<JsonSchema>((inner, name) => ({ properties: { [name]: inner } }), parent);
}

function among(values: readonly unknown[], negated: boolean, message: string): JsonSchema {
  return negated ? { not: { enum: values } } : { enum: values, errorMessage: message };
}
