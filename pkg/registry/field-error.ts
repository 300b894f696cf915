import { goFloat } from "../encoding/go-format.ts";
import { writeJson } from "../encoding/json.ts";
import { goJson } from "./go-json.ts";
import type { Json } from "./json.ts";

/** What is wrong with one field, in kube-apiserver's words. */
export interface FieldError {
  readonly reason:
    | "FieldValueInvalid"
    | "FieldValueRequired"
    | "FieldValueNotSupported"
    | "FieldValueTypeInvalid"
    | "FieldValueDuplicate"
    | "FieldValueForbidden"
    | "FieldValueTooLong"
    | "FieldValueTooMany";
  /** As in `spec.parts[0].name`; `<nil>` for the whole object. */
  readonly field: string;
  /** The text after the field: `Invalid value: 0: must be ...`. */
  readonly message: string;
}

/** Whether an error hides others: rules are written for values of the right shape, and not checked beside it. */
export function isBlocking({ reason }: FieldError): boolean {
  return blockingReasons.includes(reason);
}

const blockingReasons: readonly FieldError["reason"][] = [
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
];

/** Go's `%q` of a string, its `%v` of a number, else JSON as Go writes it. */
export function quote(value: unknown): string {
  if (typeof value === "number" && !Number.isSafeInteger(value)) return goFloat(value);
  if (typeof value === "object" && value !== null) return goJson(value as Json);
  return writeJson(value) ?? "null";
}

export function invalid(field: string, value: unknown, detail: string): FieldError {
  return invalidShown(field, quote(value), detail);
}

/** Like `invalid`, for a value that is shown otherwise. */
export function invalidShown(field: string, shown: string, detail: string): FieldError {
  return { reason: "FieldValueInvalid", field, message: `Invalid value: ${shown}: ${detail}` };
}

export function required(field: string, detail?: string): FieldError {
  return {
    reason: "FieldValueRequired",
    field,
    message: detail === undefined ? "Required value" : `Required value: ${detail}`,
  };
}

export function forbidden(field: string, detail: string): FieldError {
  return { reason: "FieldValueForbidden", field, message: `Forbidden: ${detail}` };
}

export function duplicate(field: string, value: unknown): FieldError {
  return { reason: "FieldValueDuplicate", field, message: `Duplicate value: ${quote(value)}` };
}

export function notSupported(field: string, value: unknown, supported: readonly unknown[]): FieldError {
  const values = supported.map((each) => quote(typeof each === "string" ? each : quote(each))).join(", ");
  return {
    reason: "FieldValueNotSupported",
    field,
    message: `Unsupported value: ${quote(value)}: supported values: ${values}`,
  };
}

export function tooLong(field: string, bytes: number): FieldError {
  return {
    reason: "FieldValueTooLong",
    field,
    message: `Too long: may not be more than ${bytes} ${bytes === 1 ? "byte" : "bytes"}`,
  };
}

export function tooMany(field: string, count: number, limit: number): FieldError {
  return {
    reason: "FieldValueTooMany",
    field,
    message: `Too many: ${count}: must have at most ${limit} ${limit === 1 ? "item" : "items"}`,
  };
}

/** Said beside blocking errors. */
export const rulesNotChecked: FieldError = {
  reason: "FieldValueInvalid",
  field: "<nil>",
  message:
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
};
