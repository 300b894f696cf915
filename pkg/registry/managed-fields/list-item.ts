import { isObject, type Json } from "../json.ts";
import type { ListType } from "./field-type.ts";
import { FieldTypeError, goList } from "./field-type-error.ts";
import { keyElement, valueElement } from "./path-element.ts";

/**
 * The path element of an item of a set or map list.
 *
 * @throws FieldTypeError for an item that cannot be told from others
 */
export function itemElement(type: ListType, item: Json): string {
  if (type.relation === "set" || type.keys.length === 0) return setElement(item);
  if (item === null) throw new FieldTypeError("associative list with keys may not have a null element");
  if (!isObject(item)) throw new FieldTypeError("associative list with keys may not have non-map elements");
  const [only] = type.keys;
  if (type.keys.length === 1 && only !== undefined) {
    const value = item[only];
    if (typeof value === "string") return knownElement(type, only, value);
  }
  const keys: (readonly [string, Json])[] = [];
  for (const key of type.keys) {
    const value = Object.hasOwn(item, key) ? item[key] : type.items.map?.fields.get(key)?.default;
    if (value !== undefined) keys.push([key, value]);
  }
  if (keys.length > 0) return keyElement(keys);
  throw new FieldTypeError(
    `associative list with keys has an element that omits all key fields ${goList(type.keys)} (and doesn't have default values for any key fields)`,
  );
}

function setElement(item: Json): string {
  if (Array.isArray(item)) {
    throw new FieldTypeError("not supported: associative list with lists as elements");
  }
  if (item === null) {
    throw new FieldTypeError("associative list without keys has an element that's an explicit null");
  }
  if (typeof item === "object") {
    throw new FieldTypeError("associative list without keys has an element that's a map type");
  }
  return valueElement(item);
}

/** By list type: items mostly have one key of few values, conditions their types. */
const known = new WeakMap<ListType, Map<string, string>>();
const maxKnown = 1000;

function knownElement(type: ListType, key: string, value: string): string {
  let elements = known.get(type);
  if (elements === undefined || elements.size > maxKnown) {
    elements = new Map();
    known.set(type, elements);
  }
  let element = elements.get(value);
  if (element === undefined) {
    element = keyElement([[key, value]]);
    elements.set(value, element);
  }
  return element;
}
