import { Uint } from "./uint.ts";
import { CelError, CelMap, type Value } from "./value.ts";

/** A map made by an expression. Numbers that are equal are one key, whatever their types. */
export class EntryMap extends CelMap {
  readonly #entries = new Map<string, { readonly key: Value; readonly value: Value }>();
  #keys: readonly Value[] | undefined;

  get size(): number {
    return this.#entries.size;
  }

  /** False when the key is there already, or can be none. */
  insert(key: Value, value: Value): boolean {
    const id = keyId(key);
    if (id === undefined || this.#entries.has(id)) return false;
    this.#entries.set(id, { key, value });
    this.#keys = undefined;
    return true;
  }

  find(key: Value): Value | undefined {
    const id = keyId(key);
    return id === undefined ? undefined : this.#entries.get(id)?.value;
  }

  keys(): readonly Value[] {
    this.#keys ??= Array.from(this.#entries.values(), ({ key }) => key);
    return this.#keys;
  }
}

export function unsupportedKey(key: Value, typeName: string): CelError {
  return key instanceof CelError ? key : new CelError(`unsupported key type: ${typeName}`);
}

/** The same text for keys that are the same key; undefined for what can be no key. */
function keyId(key: Value): string | undefined {
  switch (typeof key) {
    case "string":
      return `s${key}`;
    case "boolean":
      return `b${key}`;
    case "bigint":
      return `n${key}`;
    case "number":
      return Number.isInteger(key) ? `n${BigInt(key)}` : `n${key}`;
  }
  return key instanceof Uint ? `n${key.value}` : undefined;
}
