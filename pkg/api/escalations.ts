/** Escalations as controllers make them: the name is determined by what happened, so that a repeat makes no second one. */
import type { Escalation, EscalationReason, EscalationSpec, Project } from "./generated.ts";
import { API_VERSION, PROJECT_LABEL } from "./names.ts";
import { projectOwner } from "./project-owner.ts";

/** What a person may answer to each reason; the CRD's rules say the same. */
export const ACTIONS: Readonly<Record<EscalationReason, readonly string[]>> = {
  ReviewDeadlock: ["Approve", "Rework", "Abandon"],
  ProtectedPath: ["Approve", "Rework", "Abandon"],
  SecretFound: ["Rework", "Abandon"],
  MergeConflict: ["Resolved", "Abandon"],
  ReviewTimedOut: ["Resolved", "Abandon"],
  TargetRewritten: ["Resolved", "Abandon"],
  Stuck: ["Continue", "Reassign", "Abandon"],
  TimedOut: ["Continue", "Reassign", "Abandon"],
  SessionFailing: ["Continue", "Reassign", "Abandon"],
};

/** The next Escalation of `project` for `reason`: one for each decision that people have taken so far. */
function escalationName(project: Project, reason: EscalationReason): string {
  const decided = project.status?.resolutions?.length ?? 0;
  const slug = reason.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  return `${project.metadata.name}-${slug}-${decided + 1}`;
}

export function escalationFor(
  project: Project,
  reason: EscalationReason,
  details: Omit<EscalationSpec, "project" | "reason" | "resolution">,
): Escalation {
  return {
    apiVersion: API_VERSION,
    kind: "Escalation",
    metadata: {
      name: escalationName(project, reason),
      namespace: project.metadata.namespace ?? "default",
      labels: { [PROJECT_LABEL]: project.metadata.name },
      ownerReferences: [projectOwner(project)],
    },
    spec: { project: project.metadata.name, reason, ...details },
  };
}
