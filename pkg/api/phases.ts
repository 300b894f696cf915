/**
 * Project phases: a word for people, computed from what is recorded and by this file alone. Conditions say why.
 */
import { isTrue } from "./conditions.ts";
import type { Project, ProjectPhase, ProjectStatus, ProjectSubmission } from "./generated.ts";

/** The way out of each phase. The docs' diagram is made from this table, and the tests walk every edge. */
export const PHASE_EDGES: Readonly<Record<ProjectPhase, readonly ProjectPhase[]>> = {
  Proposed: ["Queued", "Rejected", "Skipped"],
  Queued: ["Working", "Skipped", "Abandoned", "InReview"],
  Working: ["InReview", "Queued", "Escalated", "Abandoned", "Skipped", "ChangesRequested"],
  InReview: ["Approved", "ChangesRequested", "Escalated", "Abandoned", "Skipped", "Working", "Queued"],
  ChangesRequested: ["Working", "Escalated", "Abandoned", "Skipped", "Queued"],
  Approved: [
    "Merging",
    "InReview",
    "ChangesRequested",
    "Escalated",
    "Abandoned",
    "Skipped",
    "Done",
    "Queued",
  ],
  Merging: ["Done", "Approved", "ChangesRequested", "Escalated", "Abandoned", "InReview", "Skipped"],
  Escalated: ["ChangesRequested", "Approved", "Queued", "Abandoned", "InReview", "Skipped"],
  Abandoned: ["Queued", "ChangesRequested", "InReview", "Approved"],
  Skipped: ["Queued", "InReview", "ChangesRequested", "Approved", "Escalated", "Working"],
  Done: [],
  Rejected: [],
};

/** Phases that no step of Bosun leaves by itself. */
export const SETTLED_PHASES: ReadonlySet<ProjectPhase> = new Set([
  "Done",
  "Abandoned",
  "Skipped",
  "Rejected",
]);

/** The submission that waits for review or merge; undefined when work on top of it has begun. */
export function pendingSubmission(status: ProjectStatus): ProjectSubmission | undefined {
  const { submission, claim } = status;
  if (submission === undefined) return undefined;
  if (claim !== undefined && claim.run !== submission.run) return undefined;
  return submission;
}

/** What was decided about the pending submission; undefined while nothing was. */
export function pendingVerdict(status: ProjectStatus): ProjectStatus["verdict"] {
  return aboutPending(status, status.verdict);
}

/** Why the pending submission could not be merged; undefined where it was not tried or may still be. */
export function pendingMergeFailure(status: ProjectStatus): ProjectStatus["mergeFailure"] {
  return aboutPending(status, status.mergeFailure);
}

/** The phase that `project`'s spec and recorded facts amount to. */
export function phaseOf(project: Project): ProjectPhase {
  const status = project.status ?? {};
  if (isTrue(status.conditions, "Merged")) return "Done";
  if (isGivenUp(status)) return "Abandoned";
  if (status.escalation !== undefined) return "Escalated";
  // A merge whose swap is announced is finished first: it may have happened already.
  if (status.merge !== undefined) return "Merging";
  if (project.spec.skip) return "Skipped";
  return handedOver(status) ?? (status.claim === undefined ? "Queued" : "Working");
}

/** Given up by a limit, or by a person: a decision counts from the moment it is recorded. */
function isGivenUp(status: ProjectStatus): boolean {
  if (isTrue(status.conditions, "Abandoned")) return true;
  return status.escalation === undefined && status.resolutions?.at(-1)?.action === "Abandon";
}

function handedOver(status: ProjectStatus): ProjectPhase | undefined {
  if (pendingSubmission(status) === undefined) return undefined;
  const verdict = pendingVerdict(status);
  if (verdict === undefined) return "InReview";
  if (verdict.result === "ChangesRequested") return "ChangesRequested";
  return pendingMergeFailure(status) === undefined ? "Approved" : "ChangesRequested";
}

function aboutPending<T extends { head: string; run: number }>(
  status: ProjectStatus,
  fact: T | undefined,
): T | undefined {
  const submission = pendingSubmission(status);
  if (submission === undefined || fact === undefined) return undefined;
  return fact.head === submission.head && fact.run === submission.run ? fact : undefined;
}

/** Whether an agent may claim it: it needs work and nobody has it. */
export function isClaimable(project: Project): boolean {
  if (project.metadata.deletionTimestamp !== undefined || project.status?.claim !== undefined) return false;
  if (project.status?.number === undefined) return false;
  const phase = phaseOf(project);
  return phase === "Queued" || phase === "ChangesRequested";
}

/** Whether it is for `agent` to claim: it is not assigned to another one, and its category is not paused. */
export function isFor(agent: string, { spec }: Project, pausedCategories: ReadonlySet<string>): boolean {
  const isPaused = spec.category !== undefined && pausedCategories.has(spec.category);
  return !isPaused && (spec.assignedAgent === undefined || spec.assignedAgent === agent);
}
