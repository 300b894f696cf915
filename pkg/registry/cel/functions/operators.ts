import {
  bool,
  bytes,
  double,
  duration,
  int,
  listOf,
  mapOf,
  param,
  string,
  type Type,
  timestamp,
  uint,
} from "../check/type.ts";
import { contains, equal } from "../values/equality.ts";
import { ConcatList, GrowingList, itemsOf } from "../values/lists.ts";
import { arithmetic, int as intOf } from "../values/numbers.ts";
import { compare } from "../values/order.ts";
import { CelDuration, maxSeconds, minSeconds, Timestamp, timestampAt } from "../values/time.ts";
import { CelError, CelList, CelMap, noSuchOverload, type Value, type Work } from "../values/value.ts";
import { type Cost, compared, readBoth, readShorter, size } from "./costs.ts";
import { type Call, global, type Library, member, type Overload } from "./overload.ts";

const a = param("A");
const b = param("B");
const listOfA = listOf(a);
const mapOfAB = mapOf(a, b);

/** `+ - * / %`, comparisons, `in`, `[]`, `!`, and `size`. */
export const operators: Library = {
  "_+_": [
    infix("add_bytes", bytes, bytes, bytes, addBytes, readBoth),
    infix("add_double", double, double, double, number("+")),
    infix("add_duration_duration", duration, duration, duration, addTimes),
    infix("add_duration_timestamp", duration, timestamp, timestamp, addTimes),
    infix("add_timestamp_duration", timestamp, duration, timestamp, addTimes),
    infix("add_int64", int, int, int, number("+")),
    infix("add_list", listOfA, listOfA, listOfA, addLists),
    infix("add_string", string, string, string, addText, readBoth),
    infix("add_uint64", uint, uint, uint, number("+")),
  ],
  "_-_": [
    infix("subtract_double", double, double, double, number("-")),
    infix("subtract_duration_duration", duration, duration, duration, subtractTimes),
    infix("subtract_int64", int, int, int, number("-")),
    infix("subtract_timestamp_duration", timestamp, duration, timestamp, subtractTimes),
    infix("subtract_timestamp_timestamp", timestamp, timestamp, duration, subtractTimes),
    infix("subtract_uint64", uint, uint, uint, number("-")),
  ],
  "_*_": [
    infix("multiply_double", double, double, double, number("*")),
    infix("multiply_int64", int, int, int, number("*")),
    infix("multiply_uint64", uint, uint, uint, number("*")),
  ],
  "_/_": [
    infix("divide_double", double, double, double, number("/")),
    infix("divide_int64", int, int, int, number("/")),
    infix("divide_uint64", uint, uint, uint, number("/")),
  ],
  "_%_": [
    infix("modulo_int64", int, int, int, number("%")),
    infix("modulo_uint64", uint, uint, uint, number("%")),
  ],
  "-_": [
    global("negate_double", [double], double, ([x]) => -(x as number)),
    global("negate_int64", [int], int, ([x]) => intOf(-(x as bigint))),
  ],
  "!_": [global("logical_not", [bool], bool, ([x]) => (typeof x === "boolean" ? !x : noSuchOverload))],
  "@not_strictly_false": [global("not_strictly_false", [bool], bool, ([x]) => x !== false)],
  "_==_": [infix("equals", a, a, bool, equal, compared)],
  "_!=_": [infix("not_equals", a, a, bool, differs, readShorter)],
  "_<_": comparisons("less", (order) => order < 0),
  "_<=_": comparisons("less_equals", (order) => order <= 0),
  "_>_": comparisons("greater", (order) => order > 0),
  "_>=_": comparisons("greater_equals", (order) => order >= 0),
  "@in": [
    infix("in_list", a, listOfA, bool, isIn, ([, list]) => size(list)),
    infix("in_map", a, mapOfAB, bool, isIn),
  ],
  // The three are planned as parts of a chain of selections, never called.
  "_[_]": [infix("index_list", listOfA, int, a, notCalled), infix("index_map", mapOfAB, a, b, notCalled)],
  "_?_:_": [global("conditional", [bool, a, a], a, notCalled)],
  "_&&_": [infix("logical_and", bool, bool, bool, notCalled)],
  "_||_": [infix("logical_or", bool, bool, bool, notCalled)],
  size: [bytes, listOfA, mapOfAB, string].flatMap((type) => {
    const call: Call = ([x]) => BigInt(size(x));
    return [global(`size_${type.kind}`, [type], int, call), member(`${type.kind}_size`, [type], int, call)];
  }),
};

type Binary = (left: Value, right: Value, work: Work) => Value;

function infix(id: string, left: Type, right: Type, result: Type, call: Binary, cost?: Cost): Overload {
  const costs = cost === undefined ? {} : { cost };
  return global(id, [left, right], result, ([x, y], work) => call(x as Value, y as Value, work), costs);
}

function number(op: "+" | "-" | "*" | "/" | "%"): Binary {
  return (left, right) => arithmetic(op, left, right);
}

/** Numbers of all types are comparable with each other; values of other types with their own. */
function comparisons(name: string, holds: (order: number) => boolean): readonly Overload[] {
  const call: Binary = (left, right, work) => {
    const order = compare(left, right, work);
    return order instanceof CelError ? order : holds(order);
  };
  const own = [bool, string, bytes, timestamp, duration].map((type) => {
    const cost = type === string || type === bytes ? readShorter : undefined;
    return infix(`${name}_${type.kind}`, type, type, bool, call, cost);
  });
  const numbers = [int, uint, double];
  return [
    ...numbers.flatMap((left) =>
      numbers.map((right) => infix(`${name}_${left.kind}_${right.kind}`, left, right, bool, call)),
    ),
    ...own,
  ];
}

function differs(left: Value, right: Value, work: Work): Value {
  if (left instanceof CelError) return left;
  if (right instanceof CelError) return right;
  return equal(left, right, work) !== true;
}

function isIn(item: Value, container: Value, work: Work): Value {
  if (container instanceof CelList) return contains(container, item, work);
  if (!(container instanceof CelMap)) return noSuchOverload;
  const found = container.find(item);
  return found instanceof CelError ? found : found !== undefined;
}

function addText(left: Value, right: Value): Value {
  return typeof left === "string" && typeof right === "string" ? left + right : noSuchOverload;
}

function addBytes(left: Value, right: Value): Value {
  if (!(left instanceof Uint8Array) || !(right instanceof Uint8Array)) return noSuchOverload;
  return Buffer.concat([left, right]);
}

function addLists(left: Value, right: Value, work: Work): Value {
  if (!(left instanceof CelList) || !(right instanceof CelList)) return noSuchOverload;
  if (left instanceof GrowingList) {
    for (const item of itemsOf(right)) left.items.push(item);
    return left;
  }
  return left.plus(right, work) ?? new ConcatList(left, right);
}

const timestampOverflow = new CelError("timestamp overflow");

function addTimes(left: Value, right: Value): Value {
  if (left instanceof CelDuration) {
    if (right instanceof CelDuration) return duration64(left.nanos + right.nanos);
    return right instanceof Timestamp ? moved(right, left.nanos) : noSuchOverload;
  }
  return left instanceof Timestamp && right instanceof CelDuration
    ? moved(left, right.nanos)
    : noSuchOverload;
}

function subtractTimes(left: Value, right: Value): Value {
  if (left instanceof CelDuration && right instanceof CelDuration)
    return duration64(left.nanos - right.nanos);
  if (!(left instanceof Timestamp)) return noSuchOverload;
  if (right instanceof Timestamp) return duration64(left.epochNanos - right.epochNanos);
  return right instanceof CelDuration ? moved(left, -right.nanos) : noSuchOverload;
}

function moved(time: Timestamp, nanos: bigint): Value {
  const result = timestampAt(time.epochNanos + nanos, time.offsetMinutes);
  return result.seconds < minSeconds || result.seconds > maxSeconds ? timestampOverflow : result;
}

function duration64(nanos: bigint): Value {
  const checked = intOf(nanos);
  return typeof checked === "bigint" ? new CelDuration(checked) : checked;
}

function notCalled(): Value {
  return noSuchOverload;
}
