/** What a person changed, as `kubectl apply` sees it: from the file as last read to the file as it is now. */
import { sameJson } from "../../api/same-json.ts";
import { isJsonMap, type JsonMap, own, type Path, valueAt } from "./json.ts";

export interface Leaf {
  path: Path;
  /** Null: removed. */
  value: unknown;
}

/**
 * The JSON merge patch (RFC 7386) from one document to another, of what files declare: labels, annotations and
 * everything but metadata and status. Undefined when nothing of that differs. Lists are replaced whole.
 *
 * @param isOurs - says of a changed field that it isn't the person's: it is left out
 */
export function declaredPatch(
  from: JsonMap,
  to: JsonMap,
  isOurs: (leaf: Leaf) => boolean = () => false,
): JsonMap | undefined {
  const patch = mapPatch(declared(from), declared(to), [], isOurs);
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** The fields that a merge patch sets or removes. */
export function leaves(patch: JsonMap, path: Path = []): Leaf[] {
  return Object.entries(patch).flatMap(([key, value]) =>
    isJsonMap(value) && Object.keys(value).length > 0
      ? leaves(value, [...path, key])
      : [{ path: [...path, key], value }],
  );
}

/** Fields that `value` has and `meaning`, which was pruned to what the schema knows, has not. */
export function unknownFields(value: unknown, meaning: unknown, path: Path = []): Path[] {
  if (value === null || value === undefined) return [];
  if (meaning === undefined) return [path];
  if (isJsonMap(value) && isJsonMap(meaning)) {
    return Object.keys(value).flatMap((key) => unknownFields(value[key], own(meaning, key), [...path, key]));
  }
  if (Array.isArray(value) && Array.isArray(meaning)) {
    return value.flatMap((item, index) => unknownFields(item, meaning[index], [...path, index]));
  }
  return [];
}

/** The part of a document that a person's edit can change. */
export function declared({ apiVersion: _a, kind: _k, status: _s, metadata, ...body }: JsonMap): JsonMap {
  const kept: JsonMap = {};
  for (const field of ["labels", "annotations"]) {
    const value = valueAt(metadata, [field]);
    if (value !== undefined && value !== null) kept[field] = value;
  }
  // Also when it holds nothing: where the last label goes, the labels go, and not all of the metadata.
  return { ...body, metadata: kept };
}

function mapPatch(from: JsonMap, to: JsonMap, path: Path, isOurs: (leaf: Leaf) => boolean): JsonMap {
  const patch: JsonMap = {};
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [before, after] = [own(from, key), own(to, key) ?? null];
    if (sameJson(before ?? null, after)) continue;
    const at = [...path, key];
    if (isJsonMap(after) && (isJsonMap(before) || before === undefined)) {
      const inner = mapPatch(before ?? {}, after, at, isOurs);
      if (Object.keys(inner).length > 0 || before === undefined) patch[key] = inner;
    } else if (!isOurs({ path: at, value: after })) {
      patch[key] = after;
    }
  }
  return patch;
}
