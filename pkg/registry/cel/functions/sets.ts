import { bool, listOf, param } from "../check/type.ts";
import { contains } from "../values/equality.ts";
import { itemsOf } from "../values/lists.ts";
import type { CelList, Value, Work } from "../values/value.ts";
import { type Cost, size } from "./costs.ts";
import { global, type Library } from "./overload.ts";

const listOfA = listOf(param("A"));
const each: Cost = ([left, right]) => 1 + size(left) * size(right);
const eachTwice: Cost = ([left, right]) => 1 + size(left) * size(right) * 2;

/** Lists taken for sets. */
export const sets: Library = {
  "sets.contains": [
    global(
      "list_sets_contains_list",
      [listOfA, listOfA],
      bool,
      ([list, part], work) => hasAll(list, part, work),
      {
        cost: each,
      },
    ),
  ],
  "sets.equivalent": [
    global("list_sets_equivalent_list", [listOfA, listOfA], bool, equivalent, { cost: eachTwice }),
  ],
  "sets.intersects": [
    global("list_sets_intersects_list", [listOfA, listOfA], bool, intersects, { cost: each }),
  ],
};

function hasAll(list: Value | undefined, part: Value | undefined, work: Work): Value {
  for (const item of itemsOf(part as CelList)) {
    const found = contains(list as CelList, item, work);
    if (found !== true) return found;
  }
  return true;
}

function equivalent([left, right]: readonly Value[], work: Work): Value {
  const there = hasAll(left, right, work);
  return there === true ? hasAll(right, left, work) : there;
}

function intersects([left, right]: readonly Value[], work: Work): Value {
  for (const item of itemsOf(left as CelList)) {
    if (contains(right as CelList, item, work) === true) return true;
  }
  return false;
}
