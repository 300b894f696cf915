import { notSupported } from "../../registry/field-error.ts";
import { badRequest, invalidObject } from "../../registry/status-errors.ts";
import type { Call } from "./call.ts";

const policies = ["", "Ignore", "Strict", "Warn"];

/**
 * What happens with fields that the schema does not know, by the query's `fieldValidation`: Strict refuses the
 * write, Warn (the default) says so in Warning headers, Ignore drops them silently.
 */
export function unknownFieldsPolicy(
  { query, response, target: { resource } }: Call,
  optionsKind: string,
): (paths: readonly string[]) => void {
  const policy = query.get("fieldValidation") ?? "Warn";
  if (!policies.includes(policy)) {
    const of = { group: "meta.k8s.io", plural: "", kind: optionsKind };
    throw invalidObject(of, "", [notSupported("fieldValidation", policy, policies)]);
  }
  if (policy === "Ignore") return () => {};
  if (policy === "Strict") {
    return (paths) => {
      const fields = paths.map((path) => `unknown field "${path}"`).join(", ");
      throw badRequest(
        `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: strict decoding error: ${fields}`,
      );
    };
  }
  return (paths) => {
    response.setHeader(
      "warning",
      paths.map((path) => `299 - "unknown field \\"${path.replace(/[^\x20-\x7e]|["\\]/g, "?")}\\""`),
    );
  };
}
