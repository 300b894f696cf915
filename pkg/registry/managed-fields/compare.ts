import { deepEqual, isObject, type Json, type JsonObject } from "../json.ts";
import { type FieldSet, isEmpty, memberWith, none, union } from "./field-set.ts";
import { type FieldType, fieldOf, kindOf, type ListType, type MapType } from "./field-type.ts";
import { itemElement } from "./list-item.ts";
import { fieldElement } from "./path-element.ts";

/** What became of each field that differs. No field is in two of the sets. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
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
  const changes: Changes = { added: {}, modified: {}, removed: {} };
  if (type.map === undefined) return changes;
  for (const name of Object.keys(after)) {
    if (before[name] === after[name] || ignored.includes(name)) continue;
    put(changes, fieldElement(name), compareNodes(fieldOf(type.map, name), before[name], after[name]));
  }
  for (const name of Object.keys(before)) {
    if (after[name] !== undefined || before[name] === undefined || ignored.includes(name)) continue;
    put(changes, fieldElement(name), compareNodes(fieldOf(type.map, name), before[name], undefined));
  }
  return changes;
}

/** Beneath a path: of each set what stands there, undefined where the set has nothing there. */
interface Node {
  readonly added?: FieldSet | undefined;
  readonly modified?: FieldSet | undefined;
  readonly removed?: FieldSet | undefined;
}

interface Changes {
  readonly added: Record<string, FieldSet>;
  readonly modified: Record<string, FieldSet>;
  readonly removed: Record<string, FieldSet>;
}

function compareNodes(type: FieldType, before: Json | undefined, after: Json | undefined): Node | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { added: fieldsOf(type, after as Json) };
  if (after === undefined) return { removed: fieldsOf(type, before) };
  const [was, is] = [kindOf(type, before), kindOf(type, after)];
  if (was === is) return compareAs(is, type, before, after);
  return both(compareAs(was, type, before, after), compareAs(is, type, before, after));
}

/** Compares as values of one kind: to that kind, a value of another is none. */
function compareAs(
  kind: ReturnType<typeof kindOf>,
  type: FieldType,
  before: Json,
  after: Json,
): Node | undefined {
  if (kind === "list" && type.list !== undefined) {
    const [was, is] = [listIn(before), listIn(after)];
    if (type.list.relation === "atomic" || (was.length === 0 && is.length === 0)) return leaf(before, after);
    return compareLists(type.list, was, is);
  }
  if (kind === "map" && type.map !== undefined) {
    const [was, is] = [mapIn(before), mapIn(after)];
    if (type.map.atomic || (isEmptyMap(was) && isEmptyMap(is))) return leaf(before, after);
    return compareMaps(type.map, was, is);
  }
  return leaf(before, after);
}

function leaf(before: Json, after: Json): Node | undefined {
  return deepEqual(before, after) ? undefined : { modified: none };
}

function compareMaps(type: MapType, before: JsonObject, after: JsonObject): Node | undefined {
  let changes: Changes | undefined;
  for (const name of Object.keys(after)) {
    if (before[name] === after[name]) continue;
    changes = add(changes, fieldElement(name), compareNodes(fieldOf(type, name), before[name], after[name]));
  }
  for (const name of Object.keys(before)) {
    if (after[name] !== undefined || before[name] === undefined) continue;
    changes = add(changes, fieldElement(name), compareNodes(fieldOf(type, name), before[name], undefined));
  }
  return finished(changes);
}

function compareLists(type: ListType, before: readonly Json[], after: readonly Json[]): Node | undefined {
  const [was, is] = [grouped(type, before), grouped(type, after)];
  let changes: Changes | undefined;
  for (const [element, items] of is) {
    changes = add(changes, element, compareItems(type.items, was.get(element) ?? [], items));
  }
  for (const [element, items] of was) {
    if (!is.has(element)) changes = add(changes, element, compareItems(type.items, items, []));
  }
  return finished(changes);
}

/** Items of one identity: where there are several, they count as one value, since nothing tells which became which. */
function compareItems(type: FieldType, before: readonly Json[], after: readonly Json[]): Node | undefined {
  if (before.length < 2 && after.length < 2) return compareNodes(type, before[0], after[0]);
  if (before.length > 1 && after.length > 1) return leaf(before, after);
  if (before.length > 1) {
    return both({ removed: none }, after.length === 0 ? undefined : compareNodes(type, undefined, after[0]));
  }
  return both({ added: none }, before.length === 0 ? undefined : compareNodes(type, before[0], undefined));
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
    const children: Record<string, FieldSet> = {};
    for (const [element, items] of grouped(type.list, list)) {
      children[element] = items.length > 1 ? none : fieldsOf(type.list.items, items[0] as Json);
    }
    return memberWith(children);
  }
  if (kind === "map" && type.map !== undefined) {
    const map = mapIn(value);
    if (type.map.atomic || isEmptyMap(map)) return none;
    const children: Record<string, FieldSet> = {};
    for (const name of Object.keys(map)) {
      const item = map[name];
      if (item !== undefined) children[fieldElement(name)] = fieldsOf(fieldOf(type.map, name), item);
    }
    return memberWith(children);
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
  return {
    added: either(a.added, b.added),
    modified: either(a.modified, b.modified),
    removed: either(a.removed, b.removed),
  };
}

function either(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (isEmpty(a)) return memberWith(b);
  return isEmpty(b) ? memberWith(a) : union(a, b);
}

function add(changes: Changes | undefined, element: string, node: Node | undefined): Changes | undefined {
  if (node === undefined) return changes;
  const into = changes ?? { added: {}, modified: {}, removed: {} };
  put(into, element, node);
  return into;
}

function put(changes: Changes, element: string, node: Node | undefined): void {
  if (node?.added !== undefined) changes.added[element] = node.added;
  if (node?.modified !== undefined) changes.modified[element] = node.modified;
  if (node?.removed !== undefined) changes.removed[element] = node.removed;
}

function finished(changes: Changes | undefined): Node | undefined {
  if (changes === undefined) return undefined;
  const { added, modified, removed } = changes;
  return {
    added: isEmpty(added) ? undefined : added,
    modified: isEmpty(modified) ? undefined : modified,
    removed: isEmpty(removed) ? undefined : removed,
  };
}
