import type { Type } from "../check/type.ts";
import type { Overload } from "../functions/overload.ts";
import type { Call, Node } from "../syntax/ast.ts";
import { CelDuration, Timestamp } from "../values/time.ts";
import {
  CelError,
  CelList,
  CelMap,
  charsPerToil,
  noSuchOverload,
  typeNameOf,
  type Value,
} from "../values/value.ts";
import type { Evaluation, Step } from "./evaluation.ts";

/**
 * A call of a function. Where the checker left more than one meaning, or could not know a type, the values decide.
 *
 * @param args - the receiver first
 */
export function planCall(node: Call, args: readonly Node[], steps: readonly Step[]): Step {
  const overloads = node.overloads ?? [];
  const [only] = overloads;
  const known = args.every(({ type }) => type !== undefined && isKnown(type));
  const choose: Choose =
    overloads.length === 1 && only !== undefined && known
      ? // A type that is known still allows null: of items that may be, and of what is no basic type.
        (values) => (values.includes(null) && !fits(only, values) ? undefined : only)
      : (values) => overloads.find((overload) => fits(overload, values));
  const [first, second] = steps;
  if (steps.length === 1 && first !== undefined) {
    return (run) => finish(node.name, choose, [first(run)], run);
  }
  if (steps.length === 2 && first !== undefined && second !== undefined) {
    // Both are evaluated, whatever the first one is.
    return (run) => finish(node.name, choose, [first(run), second(run)], run);
  }
  return (run) => {
    const values: Value[] = [];
    for (const step of steps) {
      const value = step(run);
      if (value instanceof CelError) return value;
      values.push(value);
    }
    return finish(node.name, choose, values, run);
  };
}

type Choose = (values: readonly Value[]) => Overload | undefined;

function finish(name: string, choose: Choose, values: readonly Value[], run: Evaluation): Value {
  for (const value of values) {
    if (typeof value === "string") {
      // Whatever is done with a long text, its length has to be found out.
      if (value.length > charsPerToil) run.toil(value.length / charsPerToil);
    } else if (value instanceof CelError && name !== "@not_strictly_false") {
      run.charge(1);
      return value;
    }
  }
  const overload = choose(values);
  if (overload === undefined) {
    run.charge(1);
    return mismatch(name, values);
  }
  const { cost, costOfResult } = overload.costs;
  // Before the call, so that nothing is done that may not be done.
  if (costOfResult === undefined) run.charge(cost === undefined ? 1 : cost(values, run));
  const result = overload.call(values, run);
  if (costOfResult !== undefined) run.charge(costOfResult(result));
  return result;
}

/** Whether nothing in a type is left to be found out. */
function isKnown(type: Type): boolean {
  return type.kind !== "dyn" && type.kind !== "error" && type.kind !== "param" && type.params.every(isKnown);
}

function fits({ params, unguarded }: Overload, values: readonly Value[]): boolean {
  if (unguarded === true) return params.length === values.length;
  return params.length === values.length && params.every((type, i) => hasType(values[i] as Value, type));
}

/** Whether a value is of a type as far as one looks at run time: of a list, at its first item. */
function hasType(value: Value, type: Type): boolean {
  if (type.kind === "dyn" || type.kind === "param") return true;
  if (typeNameOf(value) !== type.name) return false;
  if (value instanceof CelList) return value.size === 0 || hasType(value.get(0), type.params[0] as Type);
  if (!(value instanceof CelMap) || value.size === 0) return true;
  const [key] = value.keys();
  if (key === undefined) return true;
  const first = value.find(key);
  return (
    hasType(key, type.params[0] as Type) && (first === undefined || hasType(first, type.params[1] as Type))
  );
}

/** What can stand left of an operator: with a wrong right side cel-go says less than with a wrong left one. */
const operands: Readonly<Record<string, readonly string[]>> = {
  "_+_": [
    "bytes",
    "double",
    "google.protobuf.Duration",
    "int",
    "list",
    "string",
    "google.protobuf.Timestamp",
    "uint",
  ],
  "_-_": ["double", "google.protobuf.Duration", "int", "google.protobuf.Timestamp", "uint"],
  "_*_": ["double", "int", "uint"],
  "_/_": ["double", "int", "uint"],
  "_%_": ["int", "uint"],
  "-_": ["bool", "double", "google.protobuf.Duration", "int"],
  ...Object.fromEntries(
    ["_<_", "_<=_", "_>_", "_>=_"].map((name) => [
      name,
      [
        "bool",
        "bytes",
        "double",
        "google.protobuf.Duration",
        "int",
        "string",
        "google.protobuf.Timestamp",
        "uint",
      ],
    ]),
  ),
  size: ["bytes", "list", "map", "string"],
  matches: ["string"],
  sort: ["list"],
};
/** Functions that look at their arguments themselves. */
const plain = new Set(["!_", "@in", "contains", "endsWith", "startsWith"]);

function mismatch(name: string, values: readonly Value[]): CelError {
  const [first] = values;
  if (plain.has(name)) return noSuchOverload;
  const wanted = Object.hasOwn(operands, name) ? operands[name] : undefined;
  if (wanted !== undefined && first !== undefined) {
    const receives = typeof first === "string" || first instanceof Timestamp || first instanceof CelDuration;
    return receives || wanted.includes(typeNameOf(first))
      ? noSuchOverload
      : new CelError(`no such overload: ${name}`);
  }
  return new CelError(`no such overload: ${name}(${values.map(typeNameOf).join(", ")})`);
}
