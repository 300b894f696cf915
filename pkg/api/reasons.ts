/**
 * The conditions of each kind and the reasons that they give: the one list of both. A condition takes no reason that is
 * not here; `docs/reference/` explains each, and a test holds the two together.
 */
import { ESCALATION_REASONS, ESCALATION_RESOLUTION_ACTIONS, PROJECT_PHASES } from "./generated.ts";

/** Why an effect may fail: what its error says. Anything else is a bug, and says InternalError. */
export const FAILURE_REASONS = [
  "BranchCheckedOut",
  "BranchMissing",
  "BranchMoved",
  "CheckoutDamaged",
  "CheckoutUnknown",
  "ClaimContended",
  "ClaimDamaged",
  "ClaimMoved",
  "ClaimNotRecorded",
  "Conflict",
  "DiskFull",
  "GatewayNotStarted",
  "GatewayUnavailable",
  "GatewayUnreachable",
  "GitFailed",
  "GitTimedOut",
  "HostNotStarted",
  "InvalidAnswer",
  "LedgerUnusable",
  "LockUnseen",
  "NoCredentials",
  "NotLeading",
  "PoolMissing",
  "RefBusy",
  "SecretIncluded",
  "StaleClaim",
  "StillRunning",
  "Stopped",
  "TakenOver",
  "TargetMoved",
  "TargetUnknown",
  "Unreachable",
  "InternalError",
] as const;

const baselineProblems = [
  "NoTarget",
  "TargetUnknown",
  "Checking",
  "BaselineFailing",
  "ProgramMissing",
] as const;

export const CONDITIONS = {
  Workspace: {
    Ready: [
      "Running",
      "Paused",
      "Stopped",
      ...baselineProblems,
      "NoTestCommand",
      "NoBudget",
      "BudgetExceeded",
      "UsageLimited",
      "TargetRewritten",
      "SecondWorkspace",
    ],
    Stopped: ["EmergencyStop", "Running", "Paused"],
    UsageLimited: ["UsageLimited", "ModelLimited", "WithinUsage"],
    ChecksConfigured: ["Configured", "Waived", "NoTestCommand"],
    BaselinePassing: ["Passed", ...baselineProblems],
    TargetInSync: ["InSync", "CheckoutDirty", "Diverged", "Rewritten"],
  },
  AgentPool: { Ready: ["Complete", "Scaling", "AgentLimit"] },
  Agent: {
    Ready: [
      "Idle",
      "ClaimProject",
      "ClaimReview",
      "Working",
      "Reviewing",
      "RequestReview",
      "AwaitingReview",
      "Approved",
      "Rejected",
      "Judged",
      "Restarting",
      "Releasing",
      "Leaving",
      "ClaimLost",
      "SessionUnknown",
      "SessionFailed",
      "CrashLoopBackOff",
      "HeartbeatLate",
      "HeartbeatLost",
      "AgentPaused",
      "PoolPaused",
      "CategoryPaused",
      "WorkspacePaused",
      "NoWorkspace",
      "NoBudget",
      "BudgetExceeded",
      "UsageLimited",
      "UpstreamUnavailable",
      ...FAILURE_REASONS,
    ],
  },
  Project: {
    Succeeded: PROJECT_PHASES,
    Claimed: ["Claimed", "Released", "AgentGone"],
    Affordable: ["NoLimit", "NoHistory", "Fits", "TooLittleLeft", "NeverFits", "Behind"],
    ChecksPassed: ["Running", "NothingToCheck", "Passed", "Failed"],
    ReviewerAvailable: ["Available", "NoReviewer"],
    Reviewed: ["Waiting", "Reviewing", "Approved", "ChangesRequested", "SecretFound", "ReviewTimedOut"],
    Merged: [
      "Merged",
      "Merging",
      "Checking",
      "NotApproved",
      "ChecksNotConfigured",
      "HeadMoved",
      "TargetMoved",
      "Replanned",
      "Conflict",
      "ChecksFailed",
      "ForbiddenPath",
      "ProtectedPath",
      "SecretFound",
    ],
    Escalated: [...ESCALATION_REASONS, ...ESCALATION_RESOLUTION_ACTIONS, "Withdrawn"],
    Abandoned: ["TimedOut", ...ESCALATION_RESOLUTION_ACTIONS],
  },
  Review: { Succeeded: ["Approved", "ChangesRequested"] },
  Budget: {
    Ready: ["InForce", "UnknownTimeZone", "ClockUnconfirmed", "GatewayUnreachable"],
    Exceeded: ["WithinLimits", "TooLittleLeft", "LimitReached", "BoundViolated"],
  },
  Category: {},
  Escalation: { Succeeded: ["Open", ...ESCALATION_RESOLUTION_ACTIONS] },
} as const satisfies Record<string, Record<string, readonly string[]>>;

type Conditions = typeof CONDITIONS;
type ReasonsOf<T> = T extends Record<string, readonly string[]> ? T[keyof T][number] : never;

/** What a condition may give as its reason. */
export type Reason = ReasonsOf<Conditions[keyof Conditions]>;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** `reason` where it is one of those that conditions give for a failed effect; else InternalError. */
export function failureReason(reason: string): FailureReason {
  return FAILURE_REASONS.find((known) => known === reason) ?? "InternalError";
}

/** The reasons that condition `type` of `kind` may give; undefined where the kind has no such condition. */
export function reasonsOf(kind: string, type: string): readonly string[] | undefined {
  const ofKind: Readonly<Record<string, readonly string[]>> | undefined = Object.hasOwn(CONDITIONS, kind)
    ? CONDITIONS[kind as keyof Conditions]
    : undefined;
  if (ofKind === undefined || !Object.hasOwn(ofKind, type)) return undefined;
  return ofKind[type];
}
