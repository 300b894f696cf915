import { isObject, type Json, type JsonObject } from "../json.ts";
import { parseTime } from "./time.ts";
import type { GoType, StructType } from "./types.ts";

/**
 * The first thing in `object` that does not fit its type, in the words of the converter that kube-apiserver hands the
 * result of a strategic merge patch to, which are others than its JSON decoder's; undefined when all fits.
 */
export function conversionFault(type: StructType, object: JsonObject): string | undefined {
  for (const [name, field] of type.fields) {
    const value = object[name];
    if (value === undefined || value === null) continue;
    const fault = faultOf(field.type, value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOf(type: GoType, value: Json): string | undefined {
  const found = kindOf(value);
  switch (type.is) {
    case "json":
      return undefined;
    case "either":
      return faultOf(type.fits(value) ? type.first : type.second, value);
    case "struct":
      return isObject(value) ? conversionFault(type, value) : `cannot restore struct from: ${found}`;
    case "map":
      return isObject(value) ? firstFault(type.of, Object.values(value)) : `cannot restore map from ${found}`;
    case "list":
      return Array.isArray(value) ? firstFault(type.of, value) : `cannot restore slice from ${found}`;
    case "bytes":
      return found === "string" ? undefined : `cannot restore slice from ${found}`;
    case "time":
      return timeFault(value, type.micro);
    case "string":
      if (found === "string") return undefined;
      return found === "int64" ? "cannot convert int64 to string" : "unrecognized type: string";
    case "bool":
      return found === "bool" ? undefined : "unrecognized type: bool";
    case "float64":
      return found === "int64" || found === "float64" ? undefined : "unrecognized type: float64";
    case "int32":
    case "int64":
      if (found === "int64") return undefined;
      return found === "float64" ? `cannot convert float64 to ${type.is}` : `unrecognized type: ${type.is}`;
  }
}

function firstFault(of: GoType, values: readonly Json[]): string | undefined {
  for (const value of values) {
    const fault = value === null ? undefined : faultOf(of, value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function timeFault(value: Json, micro: boolean): string | undefined {
  if (typeof value !== "string") {
    const found = isObject(value) ? "object" : Array.isArray(value) ? "array" : typeof value;
    return `json: cannot unmarshal ${found === "boolean" ? "bool" : found} into Go value of type string`;
  }
  try {
    parseTime(value, micro);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function kindOf(value: Json): string {
  if (Array.isArray(value)) return "slice";
  if (isObject(value)) return "map";
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    case "bigint":
      return "int64";
    case "boolean":
      return "bool";
    default:
      return "string";
  }
}
