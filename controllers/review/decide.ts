/** How a submission is judged: a list of rules whose order is the policy. Pure. */
import type { NewCondition } from "../../pkg/api/conditions.ts";
import type {
  Agent,
  AgentPool,
  EscalationReason,
  Project,
  ProjectSubmission,
  ProjectVerdict,
  Review,
  Workspace,
} from "../../pkg/api/generated.ts";
import { pendingVerdict } from "../../pkg/api/phases.ts";
import type { ChecksObservation, Finding } from "../../pkg/quality/quality.ts";
import { type Judgement, STANDARDS } from "../../pkg/session/sessions.ts";
import { resolutionFor } from "../deps.ts";

export interface Observation {
  workspace: Workspace;
  submission: ProjectSubmission;
  /** Of exactly this submission. */
  review: Review | undefined;
  checks: ChecksObservation;
  findings: readonly Finding[];
  /** Review agents that could take it. */
  reviewers: readonly Agent[];
  pools: readonly AgentPool[];
  /** The reviewer's judgement, when its session has ended with one. */
  judgement: Judgement | undefined;
  /** Seconds of live session that the review has taken; at most so many while it may go on. */
  liveSeconds: number;
  /** The agent that the review's claim names still exists. */
  reviewerLives: boolean;
}

/** Sessions that may fail to judge in time before a person is asked. */
const timeoutsMax = 2;

/** What objects and the session say. The commit itself is looked at only when something may have to be decided. */
export type Glance = Omit<Observation, "checks" | "findings">;

export type Step =
  | { do: "nothing" }
  /** Decide the submission. `review` is undefined where no reviewer was needed. */
  | {
      do: "decide";
      result: ProjectVerdict["result"];
      by: string;
      feedback: string;
      escalate: EscalationReason | undefined;
    }
  | { do: "escalate"; reason: EscalationReason; message: string }
  | { do: "createReview" }
  /** Write the judgement into the Review. */
  | { do: "settle"; judgement: Judgement }
  /** Take the review away from its agent, so that another takes it. */
  | { do: "reopen"; timedOut: boolean };

export interface Plan {
  step: Step;
  /** Undefined: as it was said. */
  checksPassed: NewCondition | undefined;
  reviewed: NewCondition;
  reviewerAvailable: NewCondition | undefined;
}

/**
 * The plan of a review that is under way and within its limits; undefined for any other. Nothing is decided then,
 * whatever the commit is like: it was looked at when the review was made, and is again when it has been judged.
 */
export function waiting(project: Project, seen: Glance): Plan | undefined {
  const { review, submission } = seen;
  const status = project.status ?? {};
  if (review === undefined || status.review !== review.metadata.name || !isUnderWay(review, seen))
    return undefined;
  if (resolutionFor(status, "ReviewDeadlock", submission.head)?.action === "Approve") return undefined;
  const step = { do: "nothing" } as const;
  return {
    step,
    checksPassed: undefined,
    reviewed: reviewed(project, seen, step),
    reviewerAvailable: reviewerAvailable(seen),
  };
}

function isUnderWay(
  { status }: Review,
  { judgement, reviewerLives, liveSeconds, workspace }: Glance,
): boolean {
  const { state, verdict, timeouts = 0 } = status ?? {};
  if (verdict !== undefined || judgement !== undefined || timeouts >= timeoutsMax) return false;
  if (liveSeconds >= workspace.spec.limits.reviewSeconds) return false;
  return state === "Pending" || (state === "Reviewing" && reviewerLives);
}

export function decide(project: Project, seen: Observation): Plan {
  const step = nextStep(project, seen);
  return {
    step,
    checksPassed: checksPassed(seen),
    reviewed: reviewed(project, seen, step),
    reviewerAvailable: reviewerAvailable(seen),
  };
}

function nextStep(project: Project, seen: Observation): Step {
  const status = project.status ?? {};
  const { submission, review, checks, findings, judgement, workspace } = seen;
  if (pendingVerdict(status) !== undefined) return { do: "nothing" };

  // A person stands in for the reviewer, at exactly this commit. Checks, conflicts and secrets are the queue's to judge.
  if (resolutionFor(status, "ReviewDeadlock", submission.head)?.action === "Approve")
    return { do: "decide", result: "Approved", by: "person", feedback: "", escalate: undefined };

  if (checks.is === "running") return { do: "nothing" };

  const secrets = findings.filter(({ kind }) => kind === "Secret");
  if (secrets.length > 0) {
    if (resolutionFor(status, "SecretFound", submission.head)?.action === "Rework")
      return {
        do: "decide",
        result: "ChangesRequested",
        by: "person",
        feedback: told("Remove these secrets from every commit of the branch", secrets),
        escalate: undefined,
      };
    return {
      do: "escalate",
      reason: "SecretFound",
      message: told("Commits of the branch hold what looks like secrets", secrets),
    };
  }
  const forbidden = findings.filter(({ kind }) => kind === "ForbiddenPath");
  if (forbidden.length > 0)
    return rejection(
      project,
      seen,
      "bosun",
      told("These paths are never merged; take the changes back", forbidden),
    );

  if (review === undefined) return { do: "createReview" };
  if (review.status?.verdict !== undefined) return fromReview(project, seen, review);
  if (judgement !== undefined) return { do: "settle", judgement };
  if (review.status?.state === "Reviewing" && !seen.reviewerLives) return { do: "reopen", timedOut: false };
  if (seen.liveSeconds >= workspace.spec.limits.reviewSeconds) {
    const timeouts = (review.status?.timeouts ?? 0) + 1;
    if (timeouts < timeoutsMax) return { do: "reopen", timedOut: true };
    return {
      do: "escalate",
      reason: "ReviewTimedOut",
      message: `Two reviews took longer than ${workspace.spec.limits.reviewSeconds} seconds.`,
    };
  }
  if ((review.status?.timeouts ?? 0) >= timeoutsMax)
    return {
      do: "escalate",
      reason: "ReviewTimedOut",
      message: "Two sessions that were to review it did not come to an end.",
    };
  if (review.status?.state === "Cancelled" || review.status?.state === undefined)
    return { do: "reopen", timedOut: false };
  return { do: "nothing" };
}

function fromReview(project: Project, seen: Observation, review: Review): Step {
  const { verdict, feedback = "", claim, reviewer } = review.status ?? {};
  const by = reviewer ?? claim?.agent ?? "";
  if (verdict === "Approved") {
    const doubts = objections(review, seen);
    if (doubts.length === 0)
      return { do: "decide", result: "Approved", by, feedback: "", escalate: undefined };
    return rejection(
      project,
      seen,
      by,
      `The reviewer approved, but that does not count:\n${doubts.join("\n")}`,
    );
  }
  return rejection(project, seen, by, feedback);
}

/** Why an approval does not count: the rules that no reviewer can waive. */
function objections(
  review: Review,
  { checks, workspace }: Pick<Observation, "checks" | "workspace">,
): string[] {
  const { criteria = [], standards = [], claim, reviewer } = review.status ?? {};
  const result: string[] = [];
  if ((reviewer ?? claim?.agent) === review.spec.author) result.push("- The reviewer is the author.");
  if (checks.is === "done" && !checks.passed)
    for (const check of checks.results.filter((entry) => entry.result !== "Passed"))
      result.push(`- ${check.name} (\`${check.run}\`): ${check.result}\n${check.output.slice(-2000)}`);
  if (
    workspace.spec.checks === "Required" &&
    checks.is === "done" &&
    !checks.results.some(({ name }) => name === "test")
  )
    result.push("- No test command is configured, and the Workspace's checks are Required.");
  for (const { id, text } of review.spec.criteria ?? []) {
    const judged = criteria.find((entry) => entry.id === id);
    if (judged === undefined || !judged.met || judged.evidence.trim() === "")
      result.push(`- ${id} (${text}) was not shown to be met.`);
  }
  for (const name of STANDARDS) {
    const judged = standards.find((entry) => entry.name === name);
    if (judged === undefined || !judged.met || judged.evidence.trim() === "")
      result.push(`- The standard ${name} was not shown to be met.`);
  }
  return result;
}

/** Changes are asked for; after the last cycle a person is. */
function rejection(project: Project, { workspace }: Observation, by: string, feedback: string): Step {
  const cycles = (project.status?.reviewCycles ?? 0) + 1;
  const max = workspace.spec.limits.reviewCycles + (project.status?.extraCycles ?? 0);
  return {
    do: "decide",
    result: "ChangesRequested",
    by,
    feedback: feedback.slice(0, 16_384),
    escalate: cycles >= max ? "ReviewDeadlock" : undefined,
  };
}

function told(what: string, findings: readonly Finding[]): string {
  return `${what}:\n${findings.map(({ path, commit, message }) => `- ${path} (${commit.slice(0, 9)}): ${message}`).join("\n")}`.slice(
    0,
    4000,
  );
}

function checksPassed({ checks, submission }: Observation): NewCondition {
  const type = "ChecksPassed";
  const commit = submission.head.slice(0, 9);
  if (checks.is === "running")
    return { type, status: "Unknown", reason: "Running", message: `Checks run on ${commit}.` };
  if (checks.results.length === 0)
    return { type, status: "True", reason: "NothingToCheck", message: "No check command is configured." };
  const bad = checks.results
    .filter(({ result }) => result !== "Passed")
    .map(({ name, result }) => `${name}: ${result}`);
  return bad.length === 0
    ? { type, status: "True", reason: "Passed", message: `All checks passed on ${commit}.` }
    : { type, status: "False", reason: "Failed", message: `On ${commit}: ${bad.join(", ")}.` };
}

function reviewed(project: Project, { review, submission }: Glance, step: Step): NewCondition {
  const type = "Reviewed";
  const verdict = pendingVerdict(project.status ?? {});
  const result = step.do === "decide" ? step.result : verdict?.result;
  const by = step.do === "decide" ? step.by : verdict?.by;
  const commit = submission.head.slice(0, 9);
  if (result === "Approved")
    return { type, status: "True", reason: "Approved", message: `${by} approved ${commit}.` };
  if (result === "ChangesRequested")
    return {
      type,
      status: "False",
      reason: "ChangesRequested",
      message: `${by} asked for changes to ${commit}.`,
    };
  if (step.do === "escalate") return { type, status: "False", reason: step.reason, message: step.message };
  const who = review?.status?.claim?.agent;
  return {
    type,
    status: "Unknown",
    reason: who === undefined ? "Waiting" : "Reviewing",
    message: who === undefined ? `${commit} waits for a reviewer.` : `${who} reviews ${commit}.`,
  };
}

function reviewerAvailable({ reviewers, pools }: Glance): NewCondition {
  const type = "ReviewerAvailable";
  if (reviewers.length > 0)
    return {
      type,
      status: "True",
      reason: "Available",
      message: "A review agent can take it.",
    };
  const pool = pools.find(({ spec }) => spec.role === "Review");
  const fix =
    pool === undefined
      ? "Add an AgentPool with role Review."
      : `Scale the pool ${pool.metadata.name} up, or resume it.`;
  return {
    type,
    status: "False",
    reason: "NoReviewer",
    message: `No review agent other than the author can take it. ${fix}`,
  };
}
