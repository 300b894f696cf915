import { isNumeric } from "../values/numbers.ts";
import { shown } from "../values/shown.ts";
import { Uint } from "../values/uint.ts";
import { CelError, CelList, CelMap, none, Optional, typeNameOf, type Value } from "../values/value.ts";
import type { Step } from "./evaluation.ts";

/** A selection: `.x`, `[i]`, `.?x`, `[?i]`, or the last one of `has(a.x)`. */
export interface Qualifier {
  readonly constant?: Value;
  readonly key?: Step;
  /** What is absent is `optional.none()`, and what is there an optional. */
  readonly optional: boolean;
  /** Only whether it is there is wanted. */
  readonly test: boolean;
}

/** The value that selections lead to from `base`. Each costs 1; an optional one only where it finds something. */
export function qualified(base: Step, qualifiers: readonly Qualifier[]): Step {
  if (qualifiers.length === 0) return base;
  const [only] = qualifiers;
  if (qualifiers.length === 1 && only !== undefined && isPlainField(only)) {
    const field = only.constant as string;
    return (run) => {
      const value = base(run);
      if (value instanceof CelError) return value;
      if (value instanceof Optional) return optionally(value, qualifiers, run);
      run.charge(1);
      return only.test ? isPresent(value, field) : select(value, field);
    };
  }
  return (run) => {
    const start = base(run);
    if (start instanceof CelError) return start;
    if (start instanceof Optional) return optionally(start, qualifiers, run);
    let value: Value = start;
    for (const [i, qualifier] of qualifiers.entries()) {
      if (qualifier.optional) return optionally(new Optional(value), qualifiers.slice(i), run);
      const key = qualifier.constant ?? keyOf(qualifier, run);
      run.charge(1);
      if (key instanceof CelError) return key;
      value = qualifier.test ? isPresent(value, key) : select(value, key);
      if (value instanceof CelError) return value;
    }
    return value;
  };
}

function isPlainField({ constant, optional }: Qualifier): boolean {
  return typeof constant === "string" && !optional;
}

/** From an optional, or from the first optional selection on, everything is optional. */
function optionally(start: Optional, qualifiers: readonly Qualifier[], run: Parameters<Step>[0]): Value {
  let value = start.value;
  for (const qualifier of qualifiers) {
    if (value === undefined) return qualifiers.at(-1)?.test ? false : none;
    const key = qualifier.constant ?? keyOf(qualifier, run);
    if (key instanceof CelError) return key;
    value = found(value, key);
    if (value !== undefined || qualifier.test) run.charge(1);
    if (value instanceof CelError) return value;
    if (qualifier.test) return value !== undefined;
  }
  return value === undefined ? none : new Optional(value);
}

function keyOf({ constant = null, key }: Qualifier, run: Parameters<Step>[0]): Value {
  return key === undefined ? constant : key(run);
}

function isPresent(value: Value, key: Value): Value {
  const there = found(value, key);
  return there instanceof CelError ? there : there !== undefined;
}

function select(value: Value, key: Value): Value {
  const there = found(value, key);
  if (there !== undefined) return there;
  return new CelError(
    value instanceof CelList ? `index out of bounds: ${shown(key)}` : `no such key: ${shown(key)}`,
  );
}

/** What is at `key`; undefined where there is nothing. */
function found(value: Value, key: Value): Value | undefined {
  if (value instanceof CelMap) return value.find(key);
  if (!(value instanceof CelList)) return undefined;
  const index = indexOf(key);
  if (index instanceof CelError) return index;
  return index >= 0 && index < value.size ? value.get(index) : undefined;
}

function indexOf(key: Value): number | CelError {
  if (typeof key === "bigint") return Number(key);
  if (typeof key === "number" && Number.isInteger(key)) return key;
  if (key instanceof Uint) return Number(key.value);
  if (isNumeric(key)) return new CelError(`unsupported index value ${shown(key)} in list`);
  return new CelError(`unsupported index type '${typeNameOf(key)}' in list`);
}
