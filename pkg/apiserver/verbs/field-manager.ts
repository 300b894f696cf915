import { managerNameFaults, managerOfUserAgent } from "../../registry/managed-fields/manager-name.ts";
import { invalidObject } from "../../registry/status-errors.ts";
import type { Call } from "./call.ts";

/**
 * The writer's name in managedFields: the query's `fieldManager`, else what its User-Agent begins with; empty when
 * neither says. `optionsKind` names the options in the error: `CreateOptions`.
 */
export function fieldManagerOf({ query, request }: Call, optionsKind: string): string {
  const name = query.get("fieldManager") ?? "";
  const faults = managerNameFaults(name, "fieldManager");
  if (faults.length > 0) {
    throw invalidObject({ group: "meta.k8s.io", plural: "", kind: optionsKind }, "", faults);
  }
  return name === "" ? managerOfUserAgent(request.headers["user-agent"] ?? "") : name;
}
