/**
 * Numbers as kube-apiserver checks them. Go tells an integer (int64) from a float (float64) by how it was written, and
 * compares each with bounds of its own kind: for an integer a bound loses its fraction.
 */
import { goFloat } from "../../encoding/go-format.ts";
import type { FieldError } from "../field-error.ts";
import type { Result } from "./result.ts";
import type { Schema } from "./schema.ts";

/** Whether Go reads a number as an integer; `wholeFloat`: it was written with a point or an exponent. */
export function isGoInteger(value: number | bigint, wholeFloat: boolean): boolean {
  return typeof value === "bigint" || (Number.isSafeInteger(value) && !wholeFloat);
}

/** Whether a float is near enough to an integer of 53 bits to pass for one. */
export function isJsonInteger(value: number): boolean {
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return false;
  const whole = Math.trunc(value);
  if (value === whole) return true;
  if (whole === 0) return false;
  return Math.abs(value - whole) / (Math.abs(value) + Math.abs(whole)) < 1e-9;
}

/** Adds what is wrong with a number to `out`. `path` is as messages name it, `field` as causes do. */
export function checkNumber(
  schema: Schema,
  value: number | bigint,
  integer: boolean,
  { path, field, root }: { path: string; field: string; root: string },
  out: Result,
): void {
  const shown = integer ? String(value) : goFloat(Number(value));
  const say = (text: string, bad = shown): void =>
    out.add({ reason: "FieldValueInvalid", field, message: `Invalid value: ${bad}: ${text}` });
  // Whether a number fits the type and format. What does not is told, and then compared as a float.
  const fits = (what: string, number: number | bigint): boolean => {
    const problem = rangeProblem(schema, number);
    if (problem !== undefined)
      out.add(plainError(root, `${what} value must be of type ${problem} in ${path}`));
    return problem === undefined;
  };
  fits("Checked", value);
  const { minimum, maximum, multipleOf } = schema;
  if (multipleOf !== undefined) {
    if (fits("MultipleOf", multipleOf) && integer) checkIntegerMultiple(BigInt(value), multipleOf, path, say);
    else checkFloatMultiple(Number(value), multipleOf, path, say);
  }
  if (maximum !== undefined) {
    const asInteger = fits("Maximum boundary", maximum) && integer;
    const bound = asInteger ? Math.trunc(maximum) : maximum;
    if (schema.exclusiveMaximum ? value >= bound : value > bound) {
      say(
        `${path} in body should be less than ${schema.exclusiveMaximum ? "" : "or equal to "}${show(bound, asInteger)}`,
      );
    }
  }
  if (minimum !== undefined) {
    const asInteger = fits("Minimum boundary", minimum) && integer;
    const bound = asInteger ? Math.trunc(minimum) : minimum;
    if (schema.exclusiveMinimum ? value <= bound : value < bound) {
      say(
        `${path} in body should be greater than ${schema.exclusiveMinimum ? "" : "or equal to "}${show(bound, asInteger)}`,
      );
    }
  }
  out.matches++;
}

/** An error without a place of its own. */
export function plainError(root: string, text: string): FieldError {
  return { reason: "FieldValueInvalid", field: root || "<nil>", message: `Invalid value: "": ${text}` };
}

function checkIntegerMultiple(
  value: bigint,
  factor: number,
  path: string,
  say: (text: string, bad?: string) => void,
): void {
  const whole = BigInt(Math.trunc(factor));
  if (whole <= 0n) say(`factor MultipleOf declared for ${path} must be positive: ${whole}`, String(whole));
  else if (value % whole !== 0n) say(`${path} in body should be a multiple of ${whole}`);
}

function checkFloatMultiple(
  value: number,
  factor: number,
  path: string,
  say: (text: string, bad?: string) => void,
): void {
  if (factor <= 0) {
    say(`factor MultipleOf declared for ${path} must be positive: ${goFloat(factor)}`, goFloat(factor));
    return;
  }
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  if (!isJsonInteger(quotient)) say(`${path} in body should be a multiple of ${goFloat(factor)}`);
}

function show(bound: number, integer: boolean): string {
  return integer ? String(bound) : goFloat(bound);
}

/** The type and format that `number` does not fit, in words; undefined when it fits. */
function rangeProblem({ type, format }: Schema, number: number | bigint): string | undefined {
  if (type === "integer") {
    const bits = format === "int32" ? 32 : 64;
    const whole = typeof number === "bigint" || Number.isInteger(number);
    if (whole && BigInt.asIntN(bits, BigInt(number)) === BigInt(number)) return undefined;
    return format === undefined ? "integer (default format)" : `integer with format ${format}`;
  }
  const tooLarge = type === "number" && format === "float" && !Number.isFinite(Math.fround(Number(number)));
  return tooLarge ? "number with format float" : undefined;
}
