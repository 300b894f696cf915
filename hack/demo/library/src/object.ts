type Fields = Record<string, unknown>;

/** Merges `source` into `target`, nested objects field by field, and gives `target` back. */
export function deepMerge(target: Fields, source: Fields): Fields {
  for (const key of Object.keys(source)) {
    const theirs = source[key];
    const ours = target[key];
    if (isMergeable(ours) && isMergeable(theirs)) deepMerge(ours, theirs);
    else target[key] = theirs;
  }
  return target;
}

/** The object with these keys alone. */
export function pick(object: Fields, keys: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(object).filter(([key]) => keys.includes(key)));
}

/** The object without these keys. */
export function omit(object: Fields, keys: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

function isMergeable(value: unknown): value is Fields {
  const hasFields = typeof value === "object" || typeof value === "function";
  return hasFields && value !== null && !Array.isArray(value);
}
