import { bool, double, int, string, struct } from "../check/type.ts";
import { CelError, Opaque, type Value } from "../values/value.ts";
import { readFirst } from "./costs.ts";
import { global, type Library, member } from "./overload.ts";

export const quantityType = struct("kubernetes.Quantity");
const two = [quantityType, quantityType] as const;

/** Kubernetes' functions on amounts such as `1.5Gi` and `100m`. */
export const quantities: Library = {
  quantity: [
    global("string_to_quantity", [string], quantityType, ([text]) => parseQuantity(text as string), {
      cost: readFirst,
    }),
  ],
  isQuantity: [
    global(
      "is_quantity_string",
      [string],
      bool,
      ([text]) => parseQuantity(text as string) instanceof Quantity,
      {
        cost: readFirst,
      },
    ),
  ],
  sign: [global("quantity_sign", [quantityType], int, ([q]) => BigInt(order((q as Quantity).nanos, 0n)))],
  isGreaterThan: [member("quantity_is_greater_than", two, bool, ([q, other]) => compared(q, other) > 0)],
  isLessThan: [member("quantity_is_less_than", two, bool, ([q, other]) => compared(q, other) < 0)],
  compareTo: [member("quantity_compare_to", two, int, ([q, other]) => BigInt(compared(q, other)))],
  asApproximateFloat: [
    member("quantity_get_float", [quantityType], double, ([q]) => Number((q as Quantity).nanos) / 1e9),
  ],
  asInteger: [
    member(
      "quantity_get_int",
      [quantityType],
      int,
      ([q]) => wholeOf(q) ?? new CelError("cannot convert value to integer"),
    ),
  ],
  isInteger: [member("quantity_is_integer", [quantityType], bool, ([q]) => wholeOf(q) !== undefined)],
  add: [
    member("quantity_add", two, quantityType, ([q, other]) => sum(q, nanosOf(other))),
    member("quantity_add_int", [quantityType, int], quantityType, ([q, n]) => sum(q, (n as bigint) * unit)),
  ],
  sub: [
    member("quantity_sub", two, quantityType, ([q, other]) => sum(q, -nanosOf(other))),
    member("quantity_sub_int", [quantityType, int], quantityType, ([q, n]) => sum(q, -(n as bigint) * unit)),
  ],
};

/** Nanos in one. */
const unit = 1_000_000_000n;
/** Larger amounts count as this one. */
const largest = (2n ** 63n - 1n) * unit;

class Quantity extends Opaque {
  readonly typeName = quantityType.name;
  /** The amount in billionths, rounded away from zero: nothing smaller exists. */
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    super();
    this.nanos = nanos;
  }

  equals(other: Quantity): boolean {
    return this.nanos === other.nanos;
  }
}

const formatWrong = new CelError(
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
);
const suffixWrong = new CelError("unable to parse quantity's suffix");

/** What each suffix multiplies by: a power of 2 or of 10. */
const suffixes = new Map<string, readonly [base: 2 | 10, exponent: number]>([
  ...["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((suffix, i) => [suffix, [2, 10 * (i + 1)]] as const),
  ...["n", "u", "m", "", "k", "M", "G", "T", "P", "E"].map(
    (suffix, i) => [suffix, [10, 3 * (i - 3)]] as const,
  ),
]);

function parseQuantity(text: string): Quantity | CelError {
  if (text === "") return new CelError("empty string provided as quantity");
  const match = /^([-+]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text);
  if (match === null) return formatWrong;
  const [, sign, whole = "", fraction = "", suffix = ""] = match;
  if (whole === "" && fraction === "") return formatWrong;
  const power = /^[eE]([-+]?\d+)$/.exec(suffix)?.[1];
  const scale = power === undefined ? suffixes.get(suffix) : ([10, Number(power)] as const);
  if (scale === undefined) return suffixWrong;
  const nanos = amount(whole.replace(/^0+/, ""), fraction, scale);
  return new Quantity(sign === "-" ? -nanos : nanos);
}

/** More digits than these say nothing but whether there are more. */
const maxDigits = 60;

/** `whole.fraction` times the scale: in nanos, at most `largest`. */
function amount(whole: string, fraction: string, [base, exponent]: readonly [2 | 10, number]): bigint {
  if (whole.length > maxDigits) return exponent < -maxDigits ? amount("1", "", [base, exponent]) : largest;
  const more = /[1-9]/.test(fraction.slice(maxDigits)) ? "1" : "";
  const decimals = `${fraction.slice(0, maxDigits)}${more}`;
  const digits = BigInt(`${whole}${decimals}` || "0");
  if (digits === 0n) return 0n;
  const doubled = base === 2 ? digits << BigInt(exponent) : digits;
  const power = (base === 10 ? exponent : 0) - decimals.length + 9;
  // Beyond this the power alone decides, and need not be written out.
  if (power > 40) return largest;
  if (power < -(String(doubled).length + 1)) return 1n;
  const nanos = power >= 0 ? doubled * 10n ** BigInt(power) : dividedUp(doubled, 10n ** BigInt(-power));
  return nanos > largest ? largest : nanos;
}

function dividedUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

function sum(quantity: Value | undefined, nanos: bigint): Value {
  return new Quantity(nanosOf(quantity) + nanos);
}

function nanosOf(quantity: Value | undefined): bigint {
  return (quantity as Quantity).nanos;
}

function compared(left: Value | undefined, right: Value | undefined): number {
  return order(nanosOf(left), nanosOf(right));
}

function order(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The amount as an int64; undefined when it is none. */
function wholeOf(quantity: Value | undefined): bigint | undefined {
  const nanos = nanosOf(quantity);
  const whole = nanos / unit;
  return nanos % unit === 0n && BigInt.asIntN(64, whole) === whole ? whole : undefined;
}
