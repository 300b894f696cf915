import { goValue } from "../../encoding/go-format.ts";
import { type FieldError, invalid } from "../field-error.ts";
import { isObject, type Json } from "../json.ts";
import type { Resource } from "../resource.ts";

/** What is wrong with the replicas that an object wants, as the scale subresource reads them. */
export function validateScaleSpec(
  { scale }: Resource,
  value: Json,
  wholeFloats: ReadonlySet<string>,
): readonly FieldError[] {
  return scale === undefined ? [] : replicasErrors(value, scale.specReplicas, wholeFloats);
}

/** What is wrong with the replicas and the selector that an object has, as the scale subresource reads them. */
export function validateScaleStatus(
  { scale }: Resource,
  value: Json,
  wholeFloats: ReadonlySet<string>,
): readonly FieldError[] {
  if (scale === undefined) return [];
  const errors = [...replicasErrors(value, scale.statusReplicas, wholeFloats)];
  if (scale.labelSelector === undefined) return errors;
  const path = dotted(scale.labelSelector);
  const { found, problem } = valueAt(value, scale.labelSelector);
  if (problem !== undefined) errors.push(invalid(path, "", problem));
  else if (found !== undefined && typeof found !== "string") {
    errors.push(invalid(path, "", accessorError(path, found, goType(found), "string")));
  }
  return errors;
}

function replicasErrors(
  value: Json,
  steps: readonly string[],
  wholeFloats: ReadonlySet<string>,
): readonly FieldError[] {
  const path = dotted(steps);
  const { found, problem } = valueAt(value, steps);
  if (problem !== undefined) return [invalid(path, 0, problem)];
  if (found === undefined) return [];
  const type = wholeFloats.has(steps.join(".")) ? "float64" : goType(found);
  if (type !== "int64") return [invalid(path, 0, accessorError(path, found, type, "int64"))];
  const count = found as number | bigint;
  if (count < 0) return [invalid(path, count, "should be a non-negative integer")];
  const most = 2 ** 31 - 1;
  return count > most ? [invalid(path, count, `should be less than or equal to ${most}`)] : [];
}

function valueAt(value: Json, steps: readonly string[]): { found?: Json | undefined; problem?: string } {
  let at: Json | undefined = value;
  for (const [i, step] of steps.entries()) {
    if (at === undefined || at === null) return {};
    if (!isObject(at)) {
      const path = dotted(steps.slice(0, i + 1));
      return { problem: accessorError(path, at, goType(at), "map[string]interface{}") };
    }
    at = at[step];
  }
  return { found: at };
}

function accessorError(path: string, value: Json, type: string, expected: string): string {
  return `${path} accessor error: ${goValue(value)} is of the type ${type}, expected ${expected}`;
}

function goType(value: Json): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int64";
    case "number":
      return Number.isSafeInteger(value) ? "int64" : "float64";
    default:
      return "map[string]interface {}";
  }
}

function dotted(steps: readonly string[]): string {
  return steps.map((step) => `.${step}`).join("");
}
