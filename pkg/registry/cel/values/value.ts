import type { CelDuration, Timestamp } from "./time.ts";
import type { Uint } from "./uint.ts";

/**
 * A value of CEL: bool is boolean, int bigint, double number, string string, bytes Uint8Array. Errors are values, as
 * in cel-go, since `&&`, `||` and the macros made of them absorb errors.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | CelDuration
  | CelList
  | CelMap
  | Optional
  | TypeName
  | Opaque
  | CelError;

/** Why an expression has no value, in cel-go's words. */
export class CelError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export const noSuchOverload = new CelError("no such overload");

/** `optional.of(value)`, or `optional.none()`. */
export class Optional {
  readonly value: Value | undefined;

  constructor(value: Value | undefined) {
    this.value = value;
  }
}

export const none = new Optional(undefined);

/** A type as a value: what `type(x)` gives, and the word `int`. */
export class TypeName {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A value of one of Kubernetes' own types: URL, Quantity, IP... */
export abstract class Opaque {
  abstract readonly typeName: string;
  /** What counts for the cost of reading it; undefined: 1. */
  get size(): number | undefined {
    return undefined;
  }
  /** `other` is of the same type. */
  abstract equals(other: this): boolean;
}

/** A list, which may be a view of JSON or of two other lists. */
export abstract class CelList {
  abstract readonly size: number;
  /** @param index - at least 0 and below `size` */
  abstract get(index: number): Value;
  /** What `==` finds; undefined: as lists are compared, one item after the other. */
  equals(_other: CelList, _work: Work): Value | undefined {
    return undefined;
  }
  /** What `+` gives; undefined: one list after the other. */
  plus(_other: CelList, _work: Work): CelList | CelError | undefined {
    return undefined;
  }
}

export abstract class CelMap {
  abstract readonly size: number;
  /** The value beneath `key`; undefined where there is none; a CelError where there can be none. */
  abstract find(key: Value): Value | undefined;
  abstract keys(): readonly Value[];
  /** What `==` finds; undefined: as maps are compared. */
  equals(_other: CelMap, _work: Work): Value | undefined {
    return undefined;
  }
}

/** Counts what a step does beyond its cost: comparing deep values, reading long texts. */
export interface Work {
  /**
   * Throws when an evaluation does more than any sane rule needs.
   *
   * @param units - about ten nanoseconds each: an item looked at, sixteen characters read
   */
  toil(units: number): void;
}

/** Characters that are read at the price of one unit of toil. */
export const charsPerToil = 16;

/** The name of a value's type at run time. */
export function typeNameOf(value: Value): string {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
  }
  if (value === null) return "null_type";
  if (value instanceof CelList) return "list";
  if (value instanceof CelMap) return "map";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Optional) return "optional_type";
  if (value instanceof TypeName) return "type";
  if (value instanceof CelError) return "error";
  if (value instanceof Opaque) return value.typeName;
  return value.typeName;
}

/** What counts for the cost of reading a value: characters, bytes, items; 1 for what has no size. */
export function sizeOf(value: Value): number {
  if (typeof value === "string") return codePoints(value);
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof CelList || value instanceof CelMap) return value.size;
  if (value instanceof Optional) return value.value === undefined ? 1 : sizeOf(value.value);
  if (value instanceof Opaque) return value.size ?? 1;
  return 1;
}

/** How many characters a text has. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // A high surrogate and what follows it are one character.
    if (unit >= 0xd800 && unit <= 0xdbff && i + 1 < text.length) {
      count--;
      i++;
    }
  }
  return count;
}
