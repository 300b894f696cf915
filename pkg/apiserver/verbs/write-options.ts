import type { FieldValidation } from "../../registry/admission/context.ts";
import { type FieldError, forbidden, notSupported } from "../../registry/field-error.ts";
import { managerNameFaults, managerOfUserAgent } from "../../registry/managed-fields/manager-name.ts";
import { invalidObject } from "../../registry/status-errors.ts";
import { warningsOf } from "../warnings.ts";
import type { Call } from "./call.ts";
import { isSet } from "./list-query.ts";

/** What the query of a write asks for. */
export interface WriteQuery {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** The writer's name; empty when neither the query nor the User-Agent says one. */
  readonly fieldManager: string;
  /** Takes over fields of others; only with server-side apply. */
  readonly force: boolean;
  /** Tells the client something that is no error. */
  readonly warn: (text: string) => void;
}

/**
 * @param kind - what errors call the options: `CreateOptions`
 * @param applying - whether it is a server-side apply, which has to name its writer and may force
 * @throws StatusError Invalid
 */
export function writeQuery({ query, request, response }: Call, kind: string, applying = false): WriteQuery {
  const dryRun = query.getAll("dryRun");
  const fieldManager = query.get("fieldManager") ?? "";
  const fieldValidation = query.get("fieldValidation") ?? "";
  const errors: FieldError[] = [];
  if (applying && fieldManager === "") {
    errors.push({
      reason: "FieldValueRequired",
      field: "fieldManager",
      message: "Required value: is required for apply patch",
    });
  }
  if (!applying && kind === "PatchOptions" && query.has("force")) {
    errors.push(forbidden("force", "may not be specified for non-apply patch"));
  }
  errors.push(...managerNameFaults(fieldManager, "fieldManager"), ...dryRunErrors(dryRun));
  if (!validations.includes(fieldValidation)) {
    errors.push(notSupported("fieldValidation", fieldValidation, validations));
  }
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", plural: "", kind }, "", errors);
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: fieldValidation === "" ? "Warn" : (fieldValidation as FieldValidation),
    // Node reads a header's bytes one by one; clients mean UTF-8.
    fieldManager:
      fieldManager ||
      managerOfUserAgent(Buffer.from(request.headers["user-agent"] ?? "", "latin1").toString()),
    force: isSet(query.get("force")),
    warn: warningsOf(response).add,
  };
}

/** What is wrong with the values of `dryRun`; there is one that is right. */
export function dryRunErrors(values: readonly string[]): readonly FieldError[] {
  return values.every((value) => value === "All") ? [] : [notSupported("dryRun", values, ["All"])];
}

const validations = ["", "Ignore", "Strict", "Warn"];
