import { isObject, type Json } from "../json.ts";

/**
 * `target` with a JSON merge patch applied: null deletes, objects merge, everything else (lists too) replaces. As
 * kube-apiserver's library has it, and beyond the RFC: nulls also go from objects in lists, unless the list takes
 * the place of an object. Parts that the patch does not touch are shared with `target`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7386
 */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(target)) return withoutNulls(patch);
  if (!isObject(patch)) return patch;
  const merged: Record<string, Json> = { ...target };
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === undefined || key === "__proto__") continue;
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(Object.hasOwn(merged, key) ? merged[key] : undefined, value);
  }
  return merged;
}

/** `value` without the keys whose value is null; nulls in a list are items and stay. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item !== undefined && item !== null && key !== "__proto__") kept[key] = withoutNulls(item);
  }
  return kept;
}
