import { type FieldError, invalid, required } from "../field-error.ts";
import type { CustomResourceDefinition, DefinitionCondition, DefinitionStatus } from "./definition.ts";
import { conditionOf, withCondition } from "./definition.ts";

/**
 * What keeps a definition from a group of Kubernetes' own: those need an annotation that tells where the API was
 * approved, or that it was not. An annotation that stays as it was is not judged.
 *
 * @see https://github.com/kubernetes/enhancements/pull/1111
 */
export function approvalFaults(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): readonly FieldError[] {
  const { reason, message } = approvalOf(definition) ?? {};
  if (message === undefined || (old !== undefined && approvalOf(old)?.reason === reason)) return [];
  const field = `metadata.annotations[${annotation}]`;
  if (reason === "MissingAnnotation") return [required(field, message)];
  return reason === "InvalidAnnotation" ? [invalid(field, annotationOf(definition), message)] : [];
}

/** The status of a definition with what is known of its approval; undefined when it says so already. */
export function tellApproval(
  definition: CustomResourceDefinition,
  now: string,
): DefinitionStatus | undefined {
  const approval = approvalOf(definition);
  if (approval === undefined) return undefined;
  const { status, reason, message } = conditionOf(definition, approval.type) ?? {};
  if (status === approval.status && reason === approval.reason && message === approval.message)
    return undefined;
  return withCondition(definition.status, approval, now);
}

const annotation = "api-approved.kubernetes.io";

/** Undefined in any other group. */
function approvalOf(
  definition: CustomResourceDefinition,
): Omit<DefinitionCondition, "lastTransitionTime"> | undefined {
  if (!/^(.*\.)?(k8s|kubernetes)\.io$/.test(definition.spec.group)) return undefined;
  const said = annotationOf(definition);
  const type = "KubernetesAPIApprovalPolicyConformant";
  const must = `protected groups must have approval annotation "${annotation}"`;
  const see = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (said === "") return { type, status: "False", reason: "MissingAnnotation", message: `${must}, ${see}` };
  if (said.startsWith("unapproved")) {
    const message = `not approved: ${JSON.stringify(said)}`;
    return { type, status: "False", reason: "UnapprovedAnnotation", message };
  }
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/\s]/i.test(said)) {
    return { type, status: "True", reason: "ApprovedAnnotation", message: `approved in ${said}` };
  }
  const message = `${must} with either a URL or a reason starting with "unapproved", ${see}`;
  return { type, status: "False", reason: "InvalidAnnotation", message };
}

function annotationOf({ metadata }: CustomResourceDefinition): string {
  return metadata.annotations?.[annotation] ?? "";
}
