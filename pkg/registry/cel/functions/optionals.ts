import { bool, dyn, int, listOf, mapOf, optionalOf, param, string } from "../check/type.ts";
import { ArrayList, itemsOf } from "../values/lists.ts";
import { CelDuration, minSeconds, Timestamp } from "../values/time.ts";
import { Uint } from "../values/uint.ts";
import { CelError, CelList, CelMap, none, noSuchOverload, Optional, type Value } from "../values/value.ts";
import { global, type Library, member } from "./overload.ts";

const v = param("V");
const k = param("K");
const optionalV = optionalOf(v);
const listV = listOf(v);
const mapKV = mapOf(k, v);

/** Values that may be absent. `or`, `orValue`, `.?` and `[?` are planned, never called. */
export const optionals: Library = {
  "optional.of": [global("optional_of", [v], optionalV, ([value]) => new Optional(value))],
  "optional.ofNonZeroValue": [
    global("optional_ofNonZeroValue", [v], optionalV, ([value]) =>
      isZero(value as Value) ? none : new Optional(value),
    ),
  ],
  "optional.none": [global("optional_none", [], optionalV, () => none)],
  value: [member("optional_value", [optionalV], v, ([value]) => (value as Optional).value ?? noValue)],
  hasValue: [
    member("optional_hasValue", [optionalV], bool, ([value]) => (value as Optional).value !== undefined),
  ],
  or: [member("optional_or_optional", [optionalV, optionalV], optionalV, notCalled)],
  orValue: [member("optional_orValue_value", [optionalV, v], v, notCalled)],
  "_?._": [global("select_optional_field", [dyn, string], optionalV, notCalled)],
  "_[?_]": [
    global("list_optindex_optional_int", [listV, int], optionalV, notCalled),
    global("optional_list_optindex_optional_int", [optionalOf(listV), int], optionalV, notCalled),
    global("map_optindex_optional_value", [mapKV, k], optionalV, notCalled),
    global("optional_map_optindex_optional_value", [optionalOf(mapKV), k], optionalV, notCalled),
  ],
  "_[_]": [
    global("optional_list_index_int", [optionalOf(listV), int], optionalV, notCalled),
    global("optional_map_index_value", [optionalOf(mapKV), k], optionalV, notCalled),
  ],
  "optional.unwrap": [global("optional_unwrap", [listOf(optionalV)], listV, unwrap)],
  unwrapOpt: [member("optional_unwrapOpt", [listOf(optionalV)], listV, unwrap)],
};

const noValue = new CelError("optional.none() dereference");

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === "") return true;
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Timestamp) return value.seconds === minSeconds && value.nanos === 0;
  return value instanceof CelDuration && value.nanos === 0n;
}

function unwrap([list]: readonly Value[]): Value {
  const values: Value[] = [];
  for (const item of itemsOf(list as CelList)) {
    if (!(item instanceof Optional)) return new CelError(`value ${item} is not optional`);
    if (item.value !== undefined) values.push(item.value);
  }
  return new ArrayList(values);
}

function notCalled(): Value {
  return noSuchOverload;
}
