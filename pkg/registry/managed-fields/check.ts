import { isObject, type Json, type JsonObject } from "../json.ts";
import { type FieldType, kindOf, type ListType, type MapType } from "./field-type.ts";
import { FieldTypeError, faultsText, goSyntax, goTypeName, shownValue } from "./field-type-error.ts";
import { itemElement } from "./list-item.ts";
import { fieldElement, printPathElement } from "./path-element.ts";

/**
 * Refuses an object that does not fit its type: unknown fields, values of another kind, list items that cannot be told
 * apart.
 *
 * @param duplicates - whether a set or map list may have several items of one identity
 * @throws FieldTypeError naming all that is wrong
 */
export function checkType(type: FieldType, value: JsonObject, { duplicates }: { duplicates: boolean }): void {
  const faults: string[] = [];
  checkNode(type, value, "", { duplicates, faults });
  if (faults.length > 0) throw new FieldTypeError(faultsText(faults));
}

interface Check {
  readonly duplicates: boolean;
  readonly faults: string[];
}

function checkNode(type: FieldType, value: Json, path: string, check: Check): void {
  if (value === null) return;
  const kind = kindOf(type, value);
  const fault = faultOf(kind, type, value);
  if (fault !== undefined) {
    check.faults.push(path === "" ? fault : `${path}: ${fault}`);
  } else if (kind === "list" && type.list !== undefined) {
    checkList(type.list, value as readonly Json[], path, check);
  } else if (kind === "map" && type.map !== undefined) {
    checkMap(type.map, value as JsonObject, path, check);
  }
}

function faultOf(kind: "scalar" | "list" | "map", { scalar }: FieldType, value: Json): string | undefined {
  if (kind === "list") return Array.isArray(value) ? undefined : `expected list, got ${shownValue(value)}`;
  if (kind === "map") return isObject(value) ? undefined : `expected map, got ${shownValue(value)}`;
  switch (scalar) {
    case "numeric":
      return typeof value === "number" || typeof value === "bigint"
        ? undefined
        : `expected numeric (int or float), got ${goTypeName(value)}`;
    case "string":
      return typeof value === "string" ? undefined : `expected string, got ${goSyntax(value)}`;
    case "boolean":
      return typeof value === "boolean" ? undefined : `expected boolean, got ${shownValue(value)}`;
    default:
      return typeof value === "object" ? `expected any scalar, got ${shownValue(value)}` : undefined;
  }
}

function checkList(type: ListType, list: readonly Json[], path: string, check: Check): void {
  const seen = new Set<string>();
  for (const [i, item] of list.entries()) {
    let element = `i:${i}`;
    if (type.relation !== "atomic") {
      try {
        element = itemElement(type, item);
      } catch (error) {
        if (!(error instanceof FieldTypeError)) throw error;
        check.faults.push(`${path}: element ${i}: ${error.message}`);
        return;
      }
      if (seen.has(element) && !check.duplicates) {
        check.faults.push(`${path}: duplicate entries for key ${printPathElement(element)}`);
      }
      seen.add(element);
    }
    checkNode(type.items, item, path + printPathElement(element), check);
  }
}

function checkMap(type: MapType, map: JsonObject, path: string, check: Check): void {
  for (const name of Object.keys(map)) {
    const value = map[name];
    if (value === undefined) continue;
    const at = path + printPathElement(fieldElement(name));
    const field = type.fields.get(name)?.type ?? type.others;
    if (field !== undefined) {
      checkNode(field, value, at, check);
      continue;
    }
    check.faults.push(`${at}: field not declared in schema`);
    // As there: the rest of the map is not looked at.
    return;
  }
}
