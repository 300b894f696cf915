/**
 * Whether two JSON values mean the same: the order of keys does not count, nor does a key whose value is undefined.
 * Values that are shared are the same at once, whatever their size.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && sameItems(a, b);
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  // Keys of `left` that `right` has too, less the keys of `right`: none is left over when they are the same ones.
  let more = 0;
  // Whole stores are compared: `for in` makes no list of the keys.
  for (const key in left) {
    const value = left[key];
    if (value === undefined) continue;
    more += 1;
    const other = right[key];
    // What every object inherits is no JSON: only where values differ may the key be nobody's own.
    if (value !== other && !(Object.hasOwn(right, key) && sameJson(value, other))) return false;
  }
  for (const key in right) if (right[key] !== undefined) more -= 1;
  return more === 0;
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (!sameJson(a[at], b[at])) return false;
  return true;
}
