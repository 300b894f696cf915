import { sameJson } from "../../api/same-json.ts";
import { writeJson } from "../../encoding/json.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import type { Field, GoType, ListType, StructType } from "../typed/types.ts";

/** A strategic merge patch says what it may not, or does not fit. The message is kube-apiserver's. */
export class StrategicPatchError extends Error {
  override readonly name = "StrategicPatchError";
  /** The format is wrong; otherwise it is the content, which kube-apiserver answers with 500. */
  readonly badFormat: boolean;

  constructor(message: string, { badFormat = false } = {}) {
    super(message);
    this.badFormat = badFormat;
  }
}

const directive = "$patch";
const retainKeys = "$retainKeys";
const orderPrefix = "$setElementOrder/";
const deletePrefix = "$deleteFromPrimitiveList/";

/**
 * `target` with a strategic merge patch applied: a JSON merge patch in which lists with a merge key merge item by item,
 * lists of plain values that are sets merge as sets, and directives say what a merge cannot. Parts that the patch does
 * not touch are shared with `target`.
 *
 * @param type - the fields of `target`, which say how its lists merge
 * @throws StrategicPatchError
 * @see https://git.k8s.io/community/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function strategicMergePatch(target: JsonObject, patch: JsonObject, type: StructType): JsonObject {
  return mergeObject(target, patch, type);
}

type Mutable = Record<string, Json>;

function mergeObject(original: JsonObject, patch: JsonObject, type: GoType | undefined): JsonObject {
  const said = patch[directive];
  if (said !== undefined) {
    const { [directive]: _said, ...rest } = patch;
    if (said === "replace") return rest;
    if (said === "delete") return {};
    throw unknownDirective(said, patch);
  }
  const merged: Mutable = { ...retained(original, patch) };
  const rest: Mutable = { ...patch };
  delete rest[retainKeys];
  for (const key of Object.keys(patch)) {
    if (key.startsWith(orderPrefix)) orderField(merged, rest, key.slice(orderPrefix.length), type);
  }
  for (const [key, value] of Object.entries(rest)) {
    if (key === "__proto__") continue;
    if (key.startsWith(deletePrefix)) deleteItems(merged, key.slice(deletePrefix.length), value);
    else mergeField(merged, key, value, fieldOf(type, key));
  }
  return merged;
}

function mergeField(merged: Mutable, key: string, value: Json, type: GoType | undefined): void {
  if (value === null) {
    delete merged[key];
    return;
  }
  const original = Object.hasOwn(merged, key) ? merged[key] : undefined;
  if (isObject(original) && isObject(value)) merged[key] = mergeObject(original, value, type);
  else if (Array.isArray(original) && Array.isArray(value)) merged[key] = mergeList(original, value, type);
  else {
    const plain = withoutDirectives(value);
    if (plain === undefined) delete merged[key];
    else merged[key] = plain;
  }
}

/** What `$retainKeys` leaves of `original`. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const kept = patch[retainKeys];
  if (kept === undefined) return original;
  if (!Array.isArray(kept)) throw badFormat("invalid patch format of retainKeys");
  for (const [key, value] of Object.entries(patch)) {
    const ignored =
      key === retainKeys || value === null || key.startsWith(orderPrefix) || key.startsWith(deletePrefix);
    if (!ignored && !kept.includes(key)) throw badFormat("invalid patch format of retainKeys");
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => kept.includes(key)));
}

/** `$setElementOrder/field`: merges the list that the patch may have for it, then puts it in that order. */
function orderField(merged: Mutable, rest: Mutable, field: string, type: GoType | undefined): void {
  const order = rest[`${orderPrefix}${field}`];
  delete rest[`${orderPrefix}${field}`];
  const patch = rest[field];
  delete rest[field];
  const original = merged[field];
  if (!Array.isArray(order)) throw argument(order);
  if (patch !== undefined && !Array.isArray(patch)) throw argument(patch);
  if (original !== undefined && !Array.isArray(original)) throw argument(original);
  const list = listOf(fieldOf(type, field), field);
  const key = list.mergeKey ?? "";
  checkOrder(patch ?? [], order, key);
  let items: readonly Json[];
  if (original === undefined && patch === undefined) return;
  if (patch === undefined) items = original ?? [];
  else if (original === undefined) items = withoutDirectives(patch) as readonly Json[];
  else items = mergeList(original, patch, list);
  merged[field] = ordered(items, order, original ?? [], key);
}

/** The items of the patch that are not deletions must stand in the order that it sets. */
function checkOrder(patch: readonly Json[], order: readonly Json[], key: string): void {
  if (order.length === 0) return;
  let at = 0;
  for (const item of patch) {
    if (isObject(item) && item[directive] !== undefined) continue;
    while (at < order.length && !sameItem(item, order[at] as Json, key)) at++;
    if (at++ >= order.length) {
      throw new StrategicPatchError(
        `The order in patch list:\n${writeJson(patch)}\n doesn't match $setElementOrder list:\n${writeJson(order)}\n`,
      );
    }
  }
}

function deleteItems(merged: Mutable, field: string, gone: Json): void {
  const original = merged[field];
  if (gone === null) {
    delete merged[field];
    return;
  }
  if (!Array.isArray(original) || !Array.isArray(gone)) return;
  const left = original.filter((item) => !gone.some((other) => sameJson(item, other)));
  merged[field] = ordered(left, gone, original, "");
}

function mergeList(
  original: readonly Json[],
  patch: readonly Json[],
  type: GoType | undefined,
): readonly Json[] {
  const list = type?.is === "list" ? type : undefined;
  if (list?.mergeKey === undefined) return patch;
  if (original.length === 0 && patch.length === 0) return original;
  const { mergeKey: key } = list;
  const kinds = new Set(
    [...original, ...patch].map((item) =>
      isObject(item) ? "map" : Array.isArray(item) ? "list" : typeof item,
    ),
  );
  if (kinds.has("list")) throw new StrategicPatchError("lists of lists are not supported");
  if (kinds.has("map") && kinds.size > 1)
    throw new StrategicPatchError("list element types are not identical");
  if (!kinds.has("map")) return ordered([...new Set([...original, ...patch])], patch, original, "");
  return mergeItems(original as readonly JsonObject[], patch as readonly JsonObject[], key, list.of);
}

function mergeItems(
  original: readonly JsonObject[],
  patch: readonly JsonObject[],
  key: string,
  type: GoType,
): readonly Json[] {
  let kept = [...original];
  const added: JsonObject[] = [];
  let replace = false;
  for (const item of patch) {
    switch (item[directive]) {
      case undefined:
        added.push(item);
        break;
      case "delete": {
        const value = keyOf(item, key);
        kept = kept.filter((other) => !sameJson(keyOf(other, key), value));
        break;
      }
      case "replace":
        replace = true;
        break;
      case "merge":
        throw new StrategicPatchError("merging lists cannot yet be specified in the patch");
      default:
        throw unknownDirective(item[directive], item);
    }
  }
  if (replace) return added;
  const before = kept;
  const merged = [...kept];
  for (const item of added) {
    const value = keyOf(item, key);
    const at = merged.findIndex((other) => sameJson(keyOf(other, key), value));
    if (at < 0) merged.push(item);
    else merged[at] = mergeObject(merged[at] as JsonObject, item, type);
  }
  return ordered(merged, added, before, key);
}

/**
 * `items` with those that are also in `order` in that order, and the others where they stood among them in `before`, as
 * far as both can be had.
 */
function ordered(
  items: readonly Json[],
  order: readonly Json[],
  before: readonly Json[],
  key: string,
): readonly Json[] {
  const place = (list: readonly Json[], item: Json): number =>
    list.findIndex((other) => sameItem(item, other, key));
  const byPlace = (list: readonly Json[]) => (a: Json, b: Json) => place(list, a) - place(list, b);
  const mine = items.filter((item) => place(order, item) >= 0).sort(byPlace(order));
  const others = items.filter((item) => place(order, item) < 0).sort(byPlace(before));
  const result: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < others.length && j < mine.length) {
    const [other, own] = [others[i] as Json, mine[j] as Json];
    const [left, right] = [place(before, other), place(before, own)];
    if (left >= 0 && right >= 0 && left < right) {
      result.push(other);
      i++;
    } else {
      result.push(own);
      j++;
    }
  }
  return [...result, ...mine.slice(j), ...others.slice(i)];
}

function sameItem(a: Json, b: Json, key: string): boolean {
  return key === "" ? sameJson(a, b) : sameJson(keyOf(a, key), keyOf(b, key));
}

function keyOf(item: Json, key: string): Json {
  const value = isObject(item) ? item[key] : undefined;
  if (value !== undefined) return value;
  throw new StrategicPatchError(`map: ${goMap(item)} does not contain declared merge key: ${key}`);
}

/** `value` without what is said to a merge and not meant to stay; undefined when nothing is left of it. */
function withoutDirectives(value: Json): Json | undefined {
  if (Array.isArray(value)) {
    return value.map(withoutDirectives).filter((item) => item !== undefined);
  }
  if (!isObject(value)) return value;
  const said = value[directive];
  if (said === "delete") return undefined;
  const plain: Mutable = {};
  for (const [key, item] of Object.entries(value)) {
    const meant =
      key !== directive &&
      key !== retainKeys &&
      !key.startsWith(orderPrefix) &&
      !key.startsWith(deletePrefix);
    if (!meant || item === null || key === "__proto__") continue;
    const left = withoutDirectives(item);
    if (left !== undefined) plain[key] = left;
  }
  // An item that was nothing but a directive says nothing of its own.
  return said !== undefined && Object.keys(plain).length === 0 ? undefined : plain;
}

function fieldOf(type: GoType | undefined, key: string): GoType | undefined {
  if (type?.is === "map") return type.of;
  if (type?.is !== "struct") return undefined;
  const field: Field | undefined = type.fields.get(key);
  return field?.type;
}

function listOf(type: GoType | undefined, field: string): ListType {
  if (type?.is === "list") return type;
  throw new StrategicPatchError(
    `unable to find api field in struct for the json field ${JSON.stringify(field)}`,
  );
}

function unknownDirective(said: Json | undefined, patch: JsonObject): StrategicPatchError {
  return new StrategicPatchError(`unknown patch type: ${String(said)} in map: ${goMap(patch)}`);
}

function badFormat(message: string): StrategicPatchError {
  return new StrategicPatchError(message, { badFormat: true });
}

function argument(found: Json | undefined): StrategicPatchError {
  const type = isObject(found) ? "map[string]interface {}" : typeof found;
  return new StrategicPatchError(`expected a []interface {}, but received a ${type}`);
}

/** As Go prints a map: `map[a:1 b:x]`. */
function goMap(value: Json): string {
  if (!isObject(value)) return Array.isArray(value) ? `[${value.map(goMap).join(" ")}]` : String(value);
  const entries = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${key}:${goMap(item)}`);
  return `map[${entries.join(" ")}]`;
}
