import { checkRules } from "../cel/check-rules.ts";
import type { FieldError } from "../field-error.ts";
import type { Json } from "../json.ts";
import type { Schema } from "./schema.ts";

/**
 * What the CEL rules find wrong with `value`, which takes the place of `old`. Only for values in which nothing of
 * a wrong shape was found.
 */
export function validateRules(
  { rules }: Schema,
  value: Json,
  old: Json | undefined,
  path = "",
): readonly FieldError[] {
  return checkRules(rules, value, old, path).errors;
}
