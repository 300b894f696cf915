import { sameJson } from "../../api/same-json.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { type FieldSet, isEmpty, memberWith, none, union } from "./field-set.ts";
import { type FieldType, kindOf, type ListType, type MapType, stepTo } from "./field-type.ts";
import { itemElement } from "./list-item.ts";

/** What became of the fields that differ. */
export interface Comparison {
  /** Fields that are new or have another value. */
  readonly changed: FieldSet;
  /** Fields that are gone. */
  readonly removed: FieldSet;
}

/**
 * The fields in which `after` differs from `before`, both objects of `type`. Parts that the two share are not looked at.
 *
 * @param ignored - fields of the object that do not count, by name
 * @throws FieldTypeError for a list item that cannot be told from others
 */
export function compare(
  type: FieldType,
  before: JsonObject,
  after: JsonObject,
  ignored: readonly string[] = [],
): Comparison {
  const found = type.map === undefined ? undefined : compareMaps(type.map, before, after, ignored);
  return { changed: found?.changed ?? none, removed: found?.removed ?? none };
}

/** Beneath a path: of each set what stands there, undefined where the set has nothing there. */
interface Node {
  readonly changed: FieldSet | undefined;
  readonly removed: FieldSet | undefined;
}

const changedLeaf: Node = { changed: none, removed: undefined };
const removedLeaf: Node = { changed: undefined, removed: none };

function compareNodes(type: FieldType, before: Json | undefined, after: Json | undefined): Node | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { changed: fieldsOf(type, after as Json), removed: undefined };
  if (after === undefined) return { changed: undefined, removed: fieldsOf(type, before) };
  const was = kindOf(type, before);
  const is = kindOf(type, after);
  if (was === is) return compareAs(is, type, before, after);
  return both(compareAs(was, type, before, after), compareAs(is, type, before, after));
}

/** Compares as values of one kind: to that kind, a value of another is none. */
function compareAs(
  kind: ReturnType<typeof kindOf>,
  { list, map }: FieldType,
  before: Json,
  after: Json,
): Node | undefined {
  if (kind === "map" && map !== undefined) {
    const was = mapIn(before);
    const is = mapIn(after);
    if (map.atomic || (isEmptyMap(was) && isEmptyMap(is))) return leaf(before, after);
    return compareMaps(map, was, is, []);
  }
  if (kind === "list" && list !== undefined) {
    const was = listIn(before);
    const is = listIn(after);
    if (list.relation === "atomic" || (was.length === 0 && is.length === 0)) return leaf(before, after);
    return compareLists(list, was, is);
  }
  return leaf(before, after);
}

function leaf(before: Json, after: Json): Node | undefined {
  return sameJson(before, after) ? undefined : changedLeaf;
}

function compareMaps(
  type: MapType,
  before: JsonObject,
  after: JsonObject,
  ignored: readonly string[],
): Node | undefined {
  const found = new Found();
  for (const name of Object.keys(after)) {
    const was = own(before, name);
    if (was === after[name] || ignored.includes(name)) continue;
    const step = stepTo(type, name);
    found.add(step.element, compareNodes(step.type, was, after[name]));
  }
  for (const name of Object.keys(before)) {
    if (own(after, name) !== undefined || before[name] === undefined || ignored.includes(name)) continue;
    const step = stepTo(type, name);
    found.add(step.element, compareNodes(step.type, before[name], undefined));
  }
  return found.node();
}

/** A key may be `constructor`, which every object inherits. */
function own(map: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

function compareLists(type: ListType, before: readonly Json[], after: readonly Json[]): Node | undefined {
  const was = grouped(type, before);
  const is = grouped(type, after);
  const found = new Found();
  for (const [element, items] of is) {
    found.add(element, compareItems(type.items, was.get(element) ?? [], items));
  }
  for (const [element, items] of was) {
    if (!is.has(element)) found.add(element, compareItems(type.items, items, []));
  }
  return found.node();
}

/** Items of one identity: where there are several, they count as one value, since nothing tells which became which. */
function compareItems(type: FieldType, before: readonly Json[], after: readonly Json[]): Node | undefined {
  if (before.length < 2 && after.length < 2) return compareNodes(type, before[0], after[0]);
  if (before.length > 1 && after.length > 1) return leaf(before, after);
  if (before.length > 1) {
    return both(removedLeaf, after.length === 0 ? undefined : compareNodes(type, undefined, after[0]));
  }
  return both(changedLeaf, before.length === 0 ? undefined : compareNodes(type, before[0], undefined));
}

function grouped(type: ListType, list: readonly Json[]): ReadonlyMap<string, readonly Json[]> {
  const groups = new Map<string, Json[]>();
  for (const item of list) {
    const element = itemElement(type, item);
    const group = groups.get(element);
    if (group === undefined) groups.set(element, [item]);
    else group.push(item);
  }
  return groups;
}

/** Beneath its path, all fields of a value that is only on one side, those that hold others too. */
function fieldsOf(type: FieldType, value: Json): FieldSet {
  const kind = kindOf(type, value);
  if (kind === "list" && type.list !== undefined) {
    const list = listIn(value);
    if (type.list.relation === "atomic" || list.length === 0) return none;
    const fields: Record<string, FieldSet> = { ".": none };
    for (const [element, items] of grouped(type.list, list)) {
      fields[element] = items.length > 1 ? none : fieldsOf(type.list.items, items[0] as Json);
    }
    return fields;
  }
  if (kind === "map" && type.map !== undefined) {
    const map = mapIn(value);
    if (type.map.atomic || isEmptyMap(map)) return none;
    const fields: Record<string, FieldSet> = { ".": none };
    for (const name of Object.keys(map)) {
      const item = map[name];
      if (item === undefined) continue;
      const step = stepTo(type.map, name);
      fields[step.element] = fieldsOf(step.type, item);
    }
    return fields;
  }
  return none;
}

function listIn(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function mapIn(value: Json): JsonObject {
  return isObject(value) ? value : {};
}

function isEmptyMap(map: JsonObject): boolean {
  for (const _key in map) return false;
  return true;
}

function both(a: Node | undefined, b: Node | undefined): Node | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { changed: either(a.changed, b.changed), removed: either(a.removed, b.removed) };
}

function either(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (isEmpty(a)) return memberWith(b);
  return isEmpty(b) ? memberWith(a) : union(a, b);
}

/** Collects what was found beneath the elements of one value. */
class Found {
  #changed: Record<string, FieldSet> | undefined;
  #removed: Record<string, FieldSet> | undefined;

  add(element: string, node: Node | undefined): void {
    if (node === undefined) return;
    if (node.changed !== undefined) {
      this.#changed ??= {};
      this.#changed[element] = node.changed;
    }
    if (node.removed !== undefined) {
      this.#removed ??= {};
      this.#removed[element] = node.removed;
    }
  }

  node(): Node | undefined {
    if (this.#changed === undefined && this.#removed === undefined) return undefined;
    return { changed: this.#changed, removed: this.#removed };
  }
}
