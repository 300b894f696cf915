import { formatDouble } from "./go-numbers.ts";
import { Uint } from "./uint.ts";
import { typeNameOf, type Value } from "./value.ts";

/** A value as messages show it, as Go prints it; of what has parts, the type's name. */
export function shown(value: Value): string {
  if (value === null) return "0";
  if (typeof value === "number") return formatDouble(value);
  if (value instanceof Uint) return String(value.value);
  return typeof value === "object" ? typeNameOf(value) : String(value);
}
