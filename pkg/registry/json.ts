/**
 * JSON values as the registry holds them: deep-frozen, and shared instead of copied wherever they are equal. A bigint is
 * an integer of 64 bits that a number cannot hold exactly, and no other.
 */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Freezes what is not frozen yet. A frozen value is taken to be frozen all the way down. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  // Most of what is stored are words and numbers: those need no call of their own, and no list of them is made.
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) if (typeof value[at] === "object") deepFreeze(value[at]);
  } else for (const key in value) if (typeof value[key] === "object") deepFreeze(value[key]);
  return Object.freeze(value);
}

/**
 * A copy of `value` that holds JSON alone and no undefined; frozen parts are shared, not copied.
 *
 * @param known - frozen JSON, where there is some: the parts that `value` has of it, each at its place, are not looked
 *   at, and those that are equal to it become it, so that what follows sees at once that they are as they were
 * @throws TypeError for what JSON cannot say: a function, NaN, an integer beyond 64 bits
 */
export function copyJson(value: unknown, known?: unknown): Json {
  if (known !== undefined && value === known) return value as Json;
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be written as JSON`);
    return value;
  }
  if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (typeof value !== "object") throw new TypeError(`A ${typeof value} cannot be written as JSON`);
  let same = Object.isFrozen(value);
  if (Array.isArray(value)) {
    const before = Array.isArray(known) ? known : undefined;
    let asBefore = before?.length === value.length;
    const list = value.map((item, i) => {
      const copy = copyJson(item ?? null, before?.[i]);
      if (copy !== item) same = false;
      if (copy !== before?.[i]) asBefore = false;
      return copy;
    });
    if (asBefore) return known as Json;
    return same ? (value as Json) : list;
  }
  const object: Record<string, Json> = {};
  const before = isObject(known) ? known : undefined;
  let asBefore = before !== undefined;
  let count = 0;
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key];
    // An own `__proto__` comes only from hostile JSON, and assigning it would change the prototype.
    if (item === undefined || key === "__proto__") {
      same = false;
      continue;
    }
    const copy = copyJson(item, before?.[key]);
    if (copy !== item) same = false;
    if (copy !== before?.[key]) asBefore = false;
    object[key] = copy;
    count++;
  }
  if (asBefore && count === Object.keys(known as JsonObject).length) return known as Json;
  return same ? (value as Json) : object;
}
