import {
  bool,
  bytes,
  double,
  duration,
  dyn,
  int,
  listOf,
  mapOf,
  optionalOf,
  param,
  string,
  type Type,
  timestamp,
  uint,
} from "../check/type.ts";
import { equal } from "../values/equality.ts";
import { ArrayList, itemsOf } from "../values/lists.ts";
import type { EntryMap } from "../values/maps.ts";
import { arithmetic, int as intOf } from "../values/numbers.ts";
import { compare, hasOrder } from "../values/order.ts";
import { CelDuration } from "../values/time.ts";
import { Uint } from "../values/uint.ts";
import {
  CelError,
  CelList,
  type CelMap,
  none,
  noSuchOverload,
  Optional,
  typeNameOf,
  type Value,
  type Work,
} from "../values/value.ts";
import { type Cost, charCost, listCost, size, traversed } from "./costs.ts";
import { type Call, global, type Library, member, type Overload } from "./overload.ts";

const a = param("A");
const listOfA = listOf(a);
const mapOfAB = mapOf(a, param("B"));
const comparable = [int, uint, double, bool, duration, timestamp, string, bytes];

/** Making a list of so many items. */
const allocated = (items: number): number => 1 + listCost + Math.max(0, Math.floor(items));
/** Comparing each item of a list with each other, texts character by character. */
const comparedWithin: Cost = ([list]) => selfComparison(list as CelList);

/** Kubernetes' functions on lists, and cel-go's extension in version 3. */
export const lists: Library = {
  isSorted: comparable.map((of) =>
    member(`list_${of.kind}_is_sorted_bool`, [listOf(of)], bool, isSorted, { cost: traversed }),
  ),
  sum: [int, uint, double, duration].map((of) =>
    member(`list_${of.kind}_sum_${of.kind}`, [listOf(of)], of, sumOf(of), { cost: traversed }),
  ),
  max: comparable.map((of) =>
    member(`list_${of.kind}_max_${of.kind}`, [listOf(of)], of, extreme("max", 1), { cost: traversed }),
  ),
  min: comparable.map((of) =>
    member(`list_${of.kind}_min_${of.kind}`, [listOf(of)], of, extreme("min", -1), { cost: traversed }),
  ),
  indexOf: [member("list_a_index_of_int", [listOfA, a], int, indexOf, { cost: traversed })],
  lastIndexOf: [member("list_a_last_index_of_int", [listOfA, a], int, lastIndexOf, { cost: traversed })],
  slice: [
    member("list_slice", [listOfA, int, int], listOfA, slice, {
      cost: ([, start, end]) => allocated(Number(end) - Number(start)),
    }),
  ],
  reverse: [member("list_reverse", [listOfA], listOfA, reverse, { cost: ([list]) => allocated(size(list)) })],
  flatten: [
    unguarded(
      member("list_flatten", [listOf(listOfA)], listOfA, flatten, {
        cost: ([list]) => allocated(size(list)),
      }),
    ),
    unguarded(
      member("list_flatten_int", [listOf(dyn), int], listOf(dyn), flatten, {
        cost: ([list, depth]) => allocated(size(list) * Number(depth)),
      }),
    ),
  ],
  distinct: [member("list_distinct", [listOfA], listOfA, distinct, { cost: comparedWithin })],
  sort: comparable.map((of) =>
    member(`list_${of.kind}_sort`, [listOf(of)], listOf(of), ([list], work) => sorted(list, list, work), {
      cost: comparedWithin,
    }),
  ),
  "@sortByAssociatedKeys": comparable.map((of) =>
    member(
      `list_${of.kind}_sortByAssociatedKeys`,
      [listOfA, listOf(of)],
      listOfA,
      ([list, keys], work) => sorted(list, keys, work),
      { cost: ([, keys], work) => comparedWithin([keys as Value], work) },
    ),
  ),
  "lists.range": [
    global("lists_range", [int], listOf(int), range, { cost: ([count]) => allocated(Number(count)) }),
  ],
  first: [member("list_first", [listOfA], optionalOf(a), ([list]) => itemAt(list as CelList, 0))],
  last: [
    member("list_last", [listOfA], optionalOf(a), ([list]) =>
      itemAt(list as CelList, (list as CelList).size - 1),
    ),
  ],
  // What `transformMap` and `transformMapEntry` fill their maps with.
  "cel.@mapInsert": [
    global("@mapInsert_map_key_value", [mapOfAB, a, param("B")], mapOfAB, ([map, key, value]) =>
      insert(map as EntryMap, key as Value, value as Value),
    ),
    global("@mapInsert_map_map", [mapOfAB, mapOfAB], mapOfAB, insertAll),
  ],
};

function unguarded(overload: Overload): Overload {
  return { ...overload, unguarded: true };
}

function selfComparison(list: CelList): number {
  const first = list.size === 0 ? undefined : list.get(0);
  const reads = typeof first === "string" || first instanceof Uint8Array;
  return allocated(list.size * list.size * (reads ? 2 + charCost : 2));
}

function isSorted([list]: readonly Value[], work: Work): Value {
  let previous: Value | undefined;
  for (const item of itemsOf(list as CelList)) {
    if (!hasOrder(item)) return noSuchOverload;
    if (previous !== undefined) {
      const order = compare(previous, item, work);
      if (typeof order === "number" && order > 0) return false;
    }
    previous = item;
  }
  return true;
}

const zeros: Readonly<Record<string, Value>> = {
  int: 0n,
  uint: new Uint(0n),
  double: 0,
  duration: new CelDuration(0n),
};

function sumOf(of: Type): Call {
  return ([list]) => {
    let sum: Value = zeros[of.kind] ?? 0n;
    for (const item of itemsOf(list as CelList)) {
      sum = sum instanceof CelDuration ? addDuration(sum, item) : arithmetic("+", sum, item);
      if (sum instanceof CelError) return sum;
    }
    return sum;
  };
}

function addDuration(sum: CelDuration, item: Value): Value {
  if (!(item instanceof CelDuration)) return noSuchOverload;
  const nanos = intOf(sum.nanos + item.nanos);
  return typeof nanos === "bigint" ? new CelDuration(nanos) : nanos;
}

function extreme(name: string, sign: 1 | -1): Call {
  return ([list], work) => {
    let best: Value | undefined;
    for (const item of itemsOf(list as CelList)) {
      if (!hasOrder(item)) return noSuchOverload;
      if (best === undefined) {
        best = item;
        continue;
      }
      const order = compare(item, best, work);
      if (typeof order === "number" && order * sign > 0) best = item;
    }
    return best ?? new CelError(`${name} called on empty list`);
  };
}

function indexOf([list, item]: readonly Value[], work: Work): Value {
  const { size: length } = list as CelList;
  for (let i = 0; i < length; i++) {
    if (equal((list as CelList).get(i), item as Value, work) === true) return BigInt(i);
  }
  return -1n;
}

function lastIndexOf([list, item]: readonly Value[], work: Work): Value {
  for (let i = (list as CelList).size - 1; i >= 0; i--) {
    if (equal((list as CelList).get(i), item as Value, work) === true) return BigInt(i);
  }
  return -1n;
}

function slice([list, start, end]: readonly Value[]): Value {
  const [from, to] = [Number(start), Number(end)];
  const refused = (why: string): CelError => new CelError(`cannot slice(${from}, ${to}), ${why}`);
  const { size: length } = list as CelList;
  if (from < 0 || to < 0) return refused("negative indexes not supported");
  if (from > to) return refused("start index must be less than or equal to end index");
  if (length < to) return refused(`list is length ${length}`);
  return new ArrayList(Array.from({ length: to - from }, (_, i) => (list as CelList).get(from + i)));
}

function reverse([list]: readonly Value[]): Value {
  return new ArrayList([...itemsOf(list as CelList)].reverse());
}

function flatten([list, depth]: readonly Value[], work: Work): Value {
  if (!(list instanceof CelList))
    return new CelError(`no such overload: ${typeNameOf(list ?? null)}.flatten()`);
  const levels = depth === undefined ? 1 : Number(depth);
  if (levels < 0) return new CelError("level must be non-negative");
  const items: Value[] = [];
  const collect = (from: CelList, left: number): void => {
    for (const item of itemsOf(from)) {
      work.toil(1);
      if (item instanceof CelList && left > 0) collect(item, left - 1);
      else items.push(item);
    }
  };
  collect(list, levels);
  return new ArrayList(items);
}

function distinct([list]: readonly Value[], work: Work): Value {
  const items: Value[] = [];
  for (const item of itemsOf(list as CelList)) {
    if (!items.some((seen) => equal(item, seen, work) === true)) items.push(item);
  }
  return new ArrayList(items);
}

function sorted(list: Value | undefined, keys: Value | undefined, work: Work): Value {
  const [values, by] = [list as CelList, keys as CelList];
  if (values.size !== by.size) {
    const sizes = `got ${values.size} and ${by.size} elements respectively`;
    const why = `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but ${sizes}`;
    return new CelError(why);
  }
  const pairs = Array.from({ length: values.size }, (_, i) => [values.get(i), by.get(i)] as const);
  const [first] = pairs;
  if (first !== undefined && !hasOrder(first[1])) return new CelError("list elements must be comparable");
  const types = new Set(pairs.map(([, key]) => typeNameOf(key)));
  if (types.size > 1) return new CelError("list elements must have the same type");
  let error: CelError | undefined;
  pairs.sort(([, x], [, y]) => {
    const order = compare(x, y, work);
    if (typeof order === "number") return order;
    error ??= order;
    return 0;
  });
  return error ?? new ArrayList(pairs.map(([value]) => value));
}

function range([count]: readonly Value[]): Value {
  const length = Math.max(0, Number(count));
  return new ArrayList(Array.from({ length }, (_, i) => BigInt(i)));
}

function itemAt(list: CelList, index: number): Value {
  return list.size === 0 ? none : new Optional(list.get(index));
}

function insert(map: EntryMap, key: Value, value: Value): Value {
  if (map.insert(key, value)) return map;
  if (map.find(key) !== undefined) return new CelError(`insert failed: key ${keyText(key)} already exists`);
  return new CelError(`unsupported key type: ${typeNameOf(key)}`);
}

function insertAll([map, entries]: readonly Value[]): Value {
  for (const key of (entries as CelMap).keys()) {
    const result = insert(map as EntryMap, key, (entries as CelMap).find(key) ?? null);
    if (result instanceof CelError) return result;
  }
  return map as Value;
}

function keyText(key: Value): string {
  return key instanceof Uint ? String(key.value) : String(key);
}
