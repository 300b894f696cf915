import type { JsonObject } from "../json.ts";
import { type Comparison, compare } from "./compare.ts";
import type { FieldType } from "./field-type.ts";

/** The versions in which an object is served: an owner's fields are those of the version that the owner wrote. */
export interface Versions {
  /** The type of the object in a version; undefined: that version is not served any more. */
  typeIn(apiVersion: string): FieldType | undefined;
  /** The object, of whatever version it is, in another one that is served. */
  convert(object: JsonObject, apiVersion: string): JsonObject;
}

/**
 * What differs between two objects, in each version that is asked for; undefined in one that is not served any more.
 *
 * @param ignored - fields of the object that do not count, by name
 * @throws FieldTypeError for a list item that cannot be told from others
 */
export function comparisons(
  versions: Versions,
  before: JsonObject,
  after: JsonObject,
  ignored: readonly string[],
): (apiVersion: string) => Comparison | undefined {
  const made = new Map<string, Comparison | undefined>();
  return (apiVersion) => {
    if (made.has(apiVersion)) return made.get(apiVersion);
    const type = versions.typeIn(apiVersion);
    const found =
      type === undefined
        ? undefined
        : compare(type, versions.convert(before, apiVersion), versions.convert(after, apiVersion), ignored);
    made.set(apiVersion, found);
    return found;
  };
}
