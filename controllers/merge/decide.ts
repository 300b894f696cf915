/** The merge queue's policy: who is next, and what one look at it amounts to. Pure. */
import type { EscalationReason, Project, Workspace } from "../../pkg/api/generated.ts";
import { pendingVerdict, phaseOf } from "../../pkg/api/phases.ts";
import type { Reason } from "../../pkg/api/reasons.ts";
import type { MergePlan } from "../../pkg/git/repository.ts";
import type { ChecksObservation, Finding } from "../../pkg/quality/quality.ts";
import { byAge, resolutionFor } from "../deps.ts";
import { isShown } from "../facts.ts";

export interface Observation {
  target: string;
  findings: readonly Finding[];
  plan: MergePlan;
  /** Of the tree that would become the target; undefined where there is none. */
  checks: ChecksObservation | undefined;
}

export type Step =
  | { do: "wait"; reason: Reason; message: string }
  | {
      do: "refuse";
      reason: Reason;
      message: string;
      files: readonly string[];
      escalate: EscalationReason | undefined;
    }
  | { do: "escalate"; reason: EscalationReason; message: string }
  /** The rebased branch is another patch: it is reviewed again. */
  | { do: "reviewAgain"; head: string }
  | { do: "merge"; to: string };

/**
 * Approved Projects whose phase says so, the oldest first; in mode Manual only those that a person let through at exactly that commit.
 */
export function queue(projects: readonly Project[], workspace: Workspace): readonly Project[] {
  return projects
    .filter((project) => {
      if (project.metadata.deletionTimestamp !== undefined || phaseOf(project) !== "Approved") return false;
      if (!isShown(project)) return false;
      const head = project.status?.submission?.head ?? "";
      const approved = project.spec.approvedHead;
      return workspace.spec.merge.mode === "Auto" || (approved !== undefined && head.startsWith(approved));
    })
    .sort(byAge);
}

/** Where a merge is decided. Every rule that fails keeps the work out of the target. */
export function decide(
  project: Project,
  workspace: Workspace,
  { target, findings, plan, checks }: Observation,
): Step {
  const status = project.status ?? {};
  const head = status.submission?.head;
  const verdict = pendingVerdict(status);
  if (verdict?.result !== "Approved" || verdict.by === status.submission?.agent)
    return {
      do: "wait",
      reason: "NotApproved",
      message: "No reviewer other than the author approved this commit.",
    };

  const secrets = findings.filter(({ kind }) => kind === "Secret");
  if (secrets.length > 0)
    return {
      do: "escalate",
      reason: "SecretFound",
      message: list("Commits hold what looks like secrets", secrets),
    };
  const forbidden = findings.filter(({ kind }) => kind === "ForbiddenPath");
  if (forbidden.length > 0)
    return refusal(project, workspace, "ForbiddenPath", list("These paths are never merged", forbidden), []);
  const guarded = findings.filter(({ kind }) => kind === "ProtectedPath");
  const decided = resolutionFor(status, "ProtectedPath", head)?.action;
  if (guarded.length > 0 && decided === "Rework")
    return {
      do: "refuse",
      reason: "ProtectedPath",
      message: list("Take the changes to these paths back", guarded),
      files: [],
      escalate: undefined,
    };
  if (guarded.length > 0 && decided !== "Approve")
    return {
      do: "escalate",
      reason: "ProtectedPath",
      message: list("Protected paths were changed; Approve lets exactly this commit pass", guarded),
    };

  if (plan.is === "conflict")
    return refusal(
      project,
      workspace,
      "Conflict",
      `The branch conflicts with the target ${target.slice(0, 9)} in ${plan.files.join(", ")}. Merge that commit into the branch and resolve it.`,
      plan.files,
    );
  if (plan.is === "changed") return { do: "reviewAgain", head: plan.head };

  if (checks === undefined || checks.is === "running")
    return { do: "wait", reason: "Checking", message: `Checks run on the merge with ${target.slice(0, 9)}.` };
  if (!checks.passed) {
    const bad = checks.results.filter(({ result }) => result !== "Passed");
    const told = bad
      .map(({ name, run, result, output }) => `${name} (\`${run}\`): ${result}\n${output.slice(-2000)}`)
      .join("\n\n");
    return refusal(
      project,
      workspace,
      "ChecksFailed",
      `Merged into the target ${target.slice(0, 9)} the checks fail. Merge that commit into the branch and mend it.\n\n${told}`,
      [],
    );
  }
  if (workspace.spec.checks === "Required" && !checks.results.some(({ name }) => name === "test"))
    return {
      do: "wait",
      reason: "ChecksNotConfigured",
      message:
        "No test command is configured. Set spec.commands.test of the Workspace, or spec.checks: None.",
    };
  return { do: "merge", to: plan.commit };
}

function refusal(
  project: Project,
  workspace: Workspace,
  reason: Reason,
  message: string,
  files: readonly string[],
): Step {
  const failures = (project.status?.pendingConflicts ?? 0) + 1;
  const escalate = failures >= workspace.spec.limits.pendingConflicts ? "MergeConflict" : undefined;
  return { do: "refuse", reason, message: message.slice(0, 16_384), files, escalate };
}

function list(what: string, findings: readonly Finding[]): string {
  return `${what}:\n${findings.map(({ path, message }) => `- ${path}: ${message}`).join("\n")}`.slice(
    0,
    4000,
  );
}
