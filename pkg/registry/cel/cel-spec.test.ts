import { tests as conformance } from "@bufbuild/cel-spec/testdata/conformance.js";
import { expect, test } from "vitest";
import { isObject, type JsonObject } from "../json.ts";
import { check } from "./check/checker.ts";
import type { Type } from "./check/type.ts";
import { functions, types } from "./functions/all.ts";
import { Evaluation } from "./plan/evaluation.ts";
import { plan } from "./plan/planner.ts";
import { parse } from "./syntax/parser.ts";
import { specType, specValue } from "./testing/spec-values.ts";
import { equal } from "./values/equality.ts";
import { CelError, typeNameOf, type Value } from "./values/value.ts";

/** Files of the CEL specification's tests that are about what Kubernetes does not have. */
const excludedFiles: Readonly<Record<string, string>> = {
  proto2: "protocol buffers",
  proto2_ext: "protocol buffers",
  proto3: "protocol buffers",
  enums: "protocol buffers",
  wrappers: "protocol buffers",
  dynamic: "protocol buffers",
  unknowns: "partial evaluation",
  plumbing: "the protocol of the specification's test server",
  block_ext: "an optimizer's macro, not enabled in Kubernetes",
  bindings_ext: "cel.bind is not enabled in Kubernetes",
  encoders_ext: "base64 is not enabled in Kubernetes",
  math_ext: "math is not enabled in Kubernetes",
};

/** Single tests, by the start of `file/section/name`. */
const excludedTests: Readonly<Record<string, string>> = {
  "fields/quoted_map_fields/": "Kubernetes does not enable fields in backticks",
  "fields/qualified_identifier_resolution/":
    "variables with dots in their names: Kubernetes has self and oldSelf",
  "namespace/": "as above",
  "optionals/optionals/map_null_entry_no_such_key": "Kubernetes finds nothing in what has no fields",
  "optionals/optionals/map_present_key_invalid_field": "Kubernetes finds nothing in what has no fields",
  "string_ext/format": "version 4 of the strings extension; Kubernetes has 2, see functions/strings.test.ts",
  "string_ext/value_errors/indexof_out_of_range": "cel-go finds nothing there instead",
  "string_ext/value_errors/lastindexof_out_of_range": "cel-go finds nothing there instead",
  "type_deductions/flexible_type_parameter_assignment/unconstrained_type_var_as_dyn":
    "has no value, only a type",
};

interface Case {
  readonly name: string;
  readonly original: JsonObject;
}

const suites = (conformance.suites ?? []).filter(({ name }) => excludedFiles[name] === undefined);
const cases = suites.map(({ name, suites: sections = [] }) => ({
  name,
  tests: sections.flatMap((section) =>
    (section.tests ?? []).map(
      ({ original }): Case => ({
        name: `${name}/${section.name}/${original.name}`,
        original: original as JsonObject,
      }),
    ),
  ),
}));

test.each(cases)("the specification's tests of $name hold", ({ tests }) => {
  const wrong = tests.filter(applies).flatMap((each) => {
    const problem = problemOf(each.original);
    return problem === undefined ? [] : [`${each.name}: ${problem}`];
  });
  expect(wrong).toEqual([]);
});

test("more than a thousand of the specification's tests apply", () => {
  expect(cases.flatMap(({ tests }) => tests).filter(applies).length).toBeGreaterThan(1200);
});

function applies({ name, original }: Case): boolean {
  const { expr, container, disableCheck, typeEnv = [] } = original;
  if (Object.keys(excludedTests).some((start) => name.startsWith(start))) return false;
  // Kubernetes never evaluates what it did not check, and has no messages to make or namespaces to look in.
  if (disableCheck === true || container !== undefined) return false;
  if (/TestAllTypes|google\.protobuf\.\w+\s*\{|cel\.bind/.test(String(expr))) return false;
  const declarations = typeEnv as readonly JsonObject[];
  const known = declarations.every(
    ({ ident }) => isObject(ident) && specType(ident.type as JsonObject) !== undefined,
  );
  const wanted = wantedValue(original);
  return known && (wanted === undefined || specValue(wanted) !== undefined);
}

function wantedValue({ value, typedResult, evalError }: JsonObject): JsonObject | undefined {
  if (isObject(typedResult)) return isObject(typedResult.result) ? typedResult.result : undefined;
  if (evalError !== undefined) return undefined;
  return isObject(value) ? value : { boolValue: true };
}

/** How the outcome differs from what is wanted; undefined when it does not. */
function problemOf(original: JsonObject): string | undefined {
  const found = outcome(original);
  if (original.evalError !== undefined) {
    return found instanceof CelError ? undefined : `${original.expr} is ${shown(found)}, not an error`;
  }
  const wanted = wantedValue(original);
  if (wanted === undefined) return found instanceof CelError ? found.message : undefined;
  const value = specValue(wanted) ?? null;
  const nan = Number.isNaN(value) && Number.isNaN(found);
  const same = nan || equal(value, found, { toil: () => {} }) === true;
  if (same && typeNameOf(value) === typeNameOf(found)) return undefined;
  return `${original.expr} is ${shown(found)}, not ${shown(value)}`;
}

function outcome({ expr, typeEnv = [], bindings = {} }: JsonObject): Value {
  const declarations = typeEnv as readonly JsonObject[];
  const variables = new Map(
    declarations.map(({ name, ident }) => [
      String(name),
      specType((ident as JsonObject).type as JsonObject) as Type,
    ]),
  );
  try {
    const root = parse(String(expr));
    const issues = check(root, { variables, functions, types });
    if (issues.length > 0) return new CelError(issues.map(({ message }) => message).join("; "));
    const { step, slots } = plan(root, [...variables.keys()]);
    const values = new Array<Value | undefined>(slots);
    for (const [i, name] of [...variables.keys()].entries()) {
      const bound = (bindings as JsonObject)[name];
      if (isObject(bound)) values[i] = specValue(bound.value as JsonObject);
    }
    return step(new Evaluation(values));
  } catch (error) {
    return new CelError((error as Error).message);
  }
}

function shown(value: Value): string {
  return value instanceof CelError ? `the error ${value.message}` : `${typeNameOf(value)} ${String(value)}`;
}
