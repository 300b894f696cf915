import { compareNumbers, isNumeric } from "./numbers.ts";
import { CelDuration, Timestamp } from "./time.ts";
import {
  CelError,
  CelList,
  CelMap,
  charsPerToil,
  noSuchOverload,
  Opaque,
  Optional,
  TypeName,
  type Value,
  type Work,
} from "./value.ts";

/** `left == right`. Values of different types are unequal, numbers of different types are compared as numbers. */
export function equal(left: Value, right: Value, work: Work): Value {
  if (left instanceof CelError) return left;
  if (right instanceof CelError) return right;
  if (left === right) return typeof left !== "number" || !Number.isNaN(left);
  if (left === null || right === null) return false;
  if (isNumeric(left)) return isNumeric(right) && compareNumbers(left, right) === 0;
  if (typeof left === "string") {
    if (typeof right === "string" && left.length === right.length) work.toil(left.length / charsPerToil);
    return false;
  }
  if (typeof left === "boolean") return false;
  if (left instanceof CelList) return right instanceof CelList ? equalLists(left, right, work) : false;
  if (left instanceof CelMap) return right instanceof CelMap ? equalMaps(left, right, work) : false;
  if (left instanceof Uint8Array) return right instanceof Uint8Array && equalBytes(left, right, work);
  if (left instanceof Timestamp) return right instanceof Timestamp && left.epochNanos === right.epochNanos;
  if (left instanceof CelDuration) return right instanceof CelDuration && left.nanos === right.nanos;
  if (left instanceof TypeName) return right instanceof TypeName && left.name === right.name;
  if (left instanceof Optional) return right instanceof Optional && equalOptionals(left, right, work);
  if (left instanceof Opaque) {
    const same = right instanceof Opaque && right.typeName === left.typeName;
    return same ? left.equals(right) : noSuchOverload;
  }
  return false;
}

/** Whether `item` is in `list`. */
export function contains(list: CelList, item: Value, work: Work): Value {
  let error: CelError | undefined;
  for (let i = 0; i < list.size; i++) {
    work.toil(1);
    const found = equal(list.get(i), item, work);
    if (found === true) return true;
    if (found instanceof CelError) error ??= found;
  }
  return error ?? false;
}

function equalLists(left: CelList, right: CelList, work: Work): Value {
  const own = left.equals(right, work);
  if (own !== undefined) return own;
  if (left.size !== right.size) return false;
  for (let i = 0; i < left.size; i++) {
    work.toil(1);
    const same = equal(left.get(i), right.get(i), work);
    if (same !== true) return same;
  }
  return true;
}

function equalMaps(left: CelMap, right: CelMap, work: Work): Value {
  const own = left.equals(right, work);
  if (own !== undefined) return own;
  if (left.size !== right.size) return false;
  for (const key of left.keys()) {
    work.toil(1);
    const other = right.find(key);
    if (other === undefined) return false;
    const same = equal(left.find(key) ?? null, other, work);
    if (same !== true) return same;
  }
  return true;
}

function equalBytes(left: Uint8Array, right: Uint8Array, work: Work): boolean {
  work.toil(left.length / charsPerToil);
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

function equalOptionals(left: Optional, right: Optional, work: Work): Value {
  if (left.value === undefined || right.value === undefined) return left.value === right.value;
  return equal(left.value, right.value, work);
}
