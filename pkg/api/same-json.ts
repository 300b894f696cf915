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
  let at = 0;
  const rightKeys = Object.keys(right);
  for (const key of Object.keys(left)) {
    // Most values that are the same have their keys in the same order: whose key it is is known without asking.
    const isOwn = key === rightKeys[at] || Object.hasOwn(right, key);
    at += 1;
    const value = left[key];
    if (value === undefined) continue;
    more += 1;
    if (!isOwn || !sameJson(value, right[key])) return false;
  }
  for (const key of rightKeys) if (right[key] !== undefined) more -= 1;
  return more === 0;
}
