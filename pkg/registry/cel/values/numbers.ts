import { Uint } from "./uint.ts";
import { CelError, noSuchOverload, type Value } from "./value.ts";

export type Numeric = bigint | number | Uint;

export function isNumeric(value: Value): value is Numeric {
  return typeof value === "bigint" || typeof value === "number" || value instanceof Uint;
}

/** -1, 0 or 1 for two numbers of any types; NaN when one of them is. Doubles are compared as doubles, as in cel-go. */
export function compareNumbers(left: Numeric, right: Numeric): number {
  const [a, b] = [plain(left), plain(right)];
  if (typeof a === typeof b) return order(a, b);
  if (typeof a === "number") return -compareWithDouble(b as bigint, a, right);
  return compareWithDouble(a, b as number, left);
}

function compareWithDouble(whole: bigint, double: number, of: Numeric): number {
  if (Number.isNaN(double)) return Number.NaN;
  const [low, high] = of instanceof Uint ? [0, 2 ** 64] : [-(2 ** 63), 2 ** 63];
  if (double < low) return 1;
  if (double > high) return -1;
  return order(Number(whole), double);
}

function order(a: bigint | number, b: bigint | number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return a === b ? 0 : Number.NaN;
}

function plain(value: Numeric): bigint | number {
  return value instanceof Uint ? value.value : value;
}

const divisionByZero = new CelError("division by zero");
const modulusByZero = new CelError("modulus by zero");
export const intOverflow = new CelError("integer overflow");
export const uintOverflow = new CelError("unsigned integer overflow");

export function int(value: bigint): Value {
  return BigInt.asIntN(64, value) === value ? value : intOverflow;
}

export function uint(value: bigint): Value {
  return BigInt.asUintN(64, value) === value ? new Uint(value) : uintOverflow;
}

/** `left op right` for two numbers of one type. */
export function arithmetic(op: "+" | "-" | "*" | "/" | "%", left: Value, right: Value): Value {
  if (typeof left === "bigint" && typeof right === "bigint") return int64(op, left, right);
  if (typeof left === "number" && typeof right === "number") return double(op, left, right);
  if (left instanceof Uint && right instanceof Uint) {
    const result = whole(op, left.value, right.value);
    return typeof result === "bigint" ? uint(result) : result;
  }
  return noSuchOverload;
}

/** The sums of small numbers, by far the most, need no test of 64 bits. */
const small = 2n ** 62n;

function int64(op: "+" | "-" | "*" | "/" | "%", left: bigint, right: bigint): Value {
  if (op === "%" && right === -1n && left === -(2n ** 63n)) return intOverflow;
  const result = whole(op, left, right);
  if (typeof result !== "bigint") return result;
  return result < small && result > -small ? result : int(result);
}

function whole(op: "+" | "-" | "*" | "/" | "%", left: bigint, right: bigint): bigint | CelError {
  switch (op) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0n ? divisionByZero : left / right;
    case "%":
      return right === 0n ? modulusByZero : left % right;
  }
}

function double(op: "+" | "-" | "*" | "/" | "%", left: number, right: number): Value {
  switch (op) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    default:
      return noSuchOverload;
  }
}
