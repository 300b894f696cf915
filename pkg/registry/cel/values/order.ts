import { compareNumbers, isNumeric } from "./numbers.ts";
import { CelDuration, Timestamp } from "./time.ts";
import { CelError, charsPerToil, noSuchOverload, type Value, type Work } from "./value.ts";

/** Below 0, 0 or above: how `left` stands to `right`. An error for what has no order. */
export function compare(left: Value, right: Value, work: Work): number | CelError {
  if (isNumeric(left) && isNumeric(right)) {
    const order = compareNumbers(left, right);
    return Number.isNaN(order) ? new CelError("NaN values cannot be ordered") : order;
  }
  if (typeof left === "string" && typeof right === "string") return compareText(left, right, work);
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  if (left instanceof Timestamp && right instanceof Timestamp) {
    return left.seconds === right.seconds ? left.nanos - right.nanos : left.seconds - right.seconds;
  }
  if (left instanceof CelDuration && right instanceof CelDuration) {
    return left.nanos < right.nanos ? -1 : left.nanos > right.nanos ? 1 : 0;
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    work.toil(Math.min(left.length, right.length) / charsPerToil);
    return Buffer.compare(left, right);
  }
  if (left instanceof CelError) return left;
  return right instanceof CelError ? right : noSuchOverload;
}

/** Whether values of its type can be put in order at all. */
export function hasOrder(value: Value): boolean {
  return (
    typeof value === "string" ||
    typeof value === "boolean" ||
    isNumeric(value) ||
    value instanceof Timestamp ||
    value instanceof CelDuration ||
    value instanceof Uint8Array
  );
}

/** By code points, as UTF-8 sorts. JavaScript would put characters beyond 16 bits before some within. */
function compareText(left: string, right: string, work: Work): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  work.toil(length / charsPerToil);
  for (let i = 0; i < length; i++) {
    const [a, b] = [left.charCodeAt(i), right.charCodeAt(i)];
    if (a === b) continue;
    const [high, other] = [isSurrogate(a), isSurrogate(b)];
    return high === other ? a - b : high ? 1 : -1;
  }
  return left.length - right.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
