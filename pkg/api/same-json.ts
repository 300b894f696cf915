/**
 * Whether two JSON values mean the same: the order of keys does not count, nor does a key whose value is undefined.
 * Values that are shared are the same at once, whatever their size.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameJson(item, b[index]));
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  // Keys of `left` that `right` has too, less the keys of `right`: none is left over when they are the same ones.
  let more = 0;
  for (const key of Object.keys(left)) {
    if (left[key] === undefined) continue;
    more += 1;
    if (!Object.hasOwn(right, key) || !sameJson(left[key], right[key])) return false;
  }
  for (const key of Object.keys(right)) if (right[key] !== undefined) more -= 1;
  return more === 0;
}
