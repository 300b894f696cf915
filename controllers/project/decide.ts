/** A Project's limits, progress and summary. Pure. */
import { getCondition, type NewCondition } from "../../pkg/api/conditions.ts";
import type {
  Agent,
  EscalationReason,
  Project,
  ProjectPhase,
  ProjectStatus,
  Workspace,
} from "../../pkg/api/generated.ts";
import { phaseOf } from "../../pkg/api/phases.ts";
import { sameJson } from "../../pkg/api/same-json.ts";

export interface Observation {
  workspace: Workspace | undefined;
  /** The agent that the claim names; undefined when it is gone. */
  agent: Agent | undefined;
}

export interface Excess {
  reason: EscalationReason;
  message: string;
  /** Given up, not merely interrupted. */
  abandons: boolean;
}

/** Seconds of live sessions so far: those of earlier claims and of the running one. */
export function elapsedSeconds(status: ProjectStatus, agent: Agent | undefined): number {
  const session = agent?.status?.session;
  const live = session !== undefined && session.id === status.claim?.session ? (session.liveSeconds ?? 0) : 0;
  return (status.workedSeconds ?? 0) + live;
}

/** The first limit that the running work has passed. */
export function excess(project: Project, { workspace, agent }: Observation): Excess | undefined {
  const status = project.status ?? {};
  if (workspace === undefined || phaseOf(project) !== "Working" || agent?.status?.session === undefined)
    return undefined;
  if (agent.status.session.id !== status.claim?.session) return undefined;
  const { session, failures = 0, lastError, nextStartTime } = agent.status;
  const badEnds = session.failures ?? 0;
  const limitSeconds = Math.min(
    workspace.spec.limits.projectSeconds,
    project.spec.limits?.projectSeconds ?? Number.POSITIVE_INFINITY,
  );
  const elapsed = elapsedSeconds(status, agent);
  if (elapsed >= limitSeconds)
    return {
      reason: "TimedOut",
      abandons: true,
      message: `Agents worked on it for ${elapsed} seconds; the limit is ${limitSeconds}. What there is was kept on its branch.`,
    };
  if (badEnds >= badEndsMax(failures > badEnds) && nextStartTime !== undefined)
    return {
      reason: "SessionFailing",
      abandons: false,
      message: `${badEnds} sessions in a row ended badly, the last with: ${lastError ?? "nothing said"}`,
    };
  const stuckSeconds = workspace.spec.limits.stuckSeconds;
  const live = agent.status.state === "Working" && session.busy !== "Yes";
  if (live && (session.unchangedSeconds ?? 0) >= stuckSeconds)
    return {
      reason: "Stuck",
      abandons: false,
      message: `Neither HEAD nor git status changed for more than ${stuckSeconds} seconds.`,
    };
  return undefined;
}

/**
 * How often in a row a Project's sessions may end badly before a person is asked. An agent that failed before it came to
 * the Project is to blame rather than the Project: its patience must not empty the whole queue.
 */
function badEndsMax(failedBefore: boolean): number {
  return failedBefore ? 6 : 3;
}

/** Done tasks of all tasks, in whole per cent. A Project without tasks is at 0 or 100. */
export function progress(
  project: Project,
  phase: ProjectPhase,
  agent: Agent | undefined,
): Pick<ProjectStatus, "progressPercent" | "currentTask" | "tasksDone"> {
  const tasks = project.spec.tasks ?? [];
  const running =
    agent?.status?.session !== undefined && agent.status.session.id === project.status?.claim?.session;
  const done = running
    ? union(project.status?.tasksDone ?? [], agent.status?.tasksDone ?? [])
    : (project.status?.tasksDone ?? []);
  const known = done.filter((id) => tasks.some((task) => task.id === id));
  const handedOver = phase === "InReview" || phase === "Approved" || phase === "Merging" || phase === "Done";
  const percent =
    tasks.length === 0 ? (handedOver ? 100 : 0) : Math.floor((100 * known.length) / tasks.length);
  return {
    progressPercent: percent,
    currentTask: running && phase === "Working" ? agent.status?.currentTask : undefined,
    tasksDone: known,
  };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])];
}

/** How far a session goes before the running numbers are told without anything else, in seconds. */
const TELL_AFTER_SECONDS = 1800;

/** Whether so much time has passed in live sessions that it is told, whatever else there is to say. */
export function isLongSince(told: number | undefined, now: number | undefined): boolean {
  return Math.abs((now ?? 0) - (told ?? 0)) >= TELL_AFTER_SECONDS;
}

/**
 * Whether how far a session has come says anything of a Project that is worked on: a limit is passed, a task done, or
 * half an hour gone. Always, where somebody else has it than its claim says, or its phase says something else.
 */
export function isNewsOfRun(project: Project, seen: Observation): boolean {
  const status = project.status ?? {};
  const { agent } = seen;
  if (status.phase !== "Working" || agent?.metadata.uid !== status.claim?.agentUID) return true;
  if (excess(project, seen) !== undefined) return true;
  if (isLongSince(status.elapsedSeconds, elapsedSeconds(status, agent))) return true;
  const { progressPercent, tasksDone } = progress(project, status.phase, agent);
  return progressPercent !== status.progressPercent || !sameJson(tasksDone, status.tasksDone);
}

/** After a person's decision: given up, or taken up again. Undefined where nothing was ever given up. */
export function abandoned(status: ProjectStatus): NewCondition | undefined {
  const decided = status.resolutions?.at(-1);
  if (status.escalation !== undefined || decided === undefined) return undefined;
  const message =
    decided.note === undefined
      ? `A person decided ${decided.action}.`
      : `A person decided ${decided.action}: ${decided.note}`;
  if (decided.action === "Abandon") return { type: "Abandoned", status: "True", reason: "Abandon", message };
  const given = status.conditions?.some(({ type }) => type === "Abandoned");
  return given ? { type: "Abandoned", status: "False", reason: decided.action, message } : undefined;
}

/** The one condition that sums it up, tied to the phase; where it stands still, the message says for what. */
export function succeeded(project: Project, phase: ProjectPhase): NewCondition {
  const status = project.status ?? {};
  const say = (is: NewCondition["status"], message: string): NewCondition => ({
    type: "Succeeded",
    status: is,
    reason: phase,
    message,
  });
  switch (phase) {
    case "Done":
      return say("True", `Merged as ${short(status.mergeCommit)}.`);
    case "Abandoned":
      return say(
        "False",
        status.conditions?.find(({ type }) => type === "Abandoned")?.message ?? "Given up.",
      );
    case "Rejected":
      return say("False", "The proposal was rejected.");
    case "Escalated":
      return say("Unknown", `A person has to decide: \`bosun resolve ${status.escalation ?? ""} ACTION\`.`);
    case "Skipped":
      return say("Unknown", "spec.skip keeps it out of the queue.");
    case "Working":
      return say("Unknown", `${status.claim?.agent ?? "An agent"} works on it.`);
    case "InReview":
      return say(
        "Unknown",
        messageOf(status, "ReviewerAvailable", "False") ??
          `Commit ${short(status.submission?.head)} is in review.`,
      );
    case "ChangesRequested":
      return say("Unknown", "Changes were asked for.");
    case "Approved":
      return say(
        "Unknown",
        messageOf(status, "Merged", "Unknown") ??
          `Commit ${short(status.submission?.head)} is approved and waits for the merge queue.`,
      );
    case "Merging":
      return say("Unknown", "It is being merged.");
    case "Proposed":
      return say("Unknown", "It was proposed and waits for its review.");
    case "Queued":
      return say(
        "Unknown",
        messageOf(status, "Affordable", "False") ??
          `It waits for ${project.spec.assignedAgent ?? "an agent"}.`,
      );
  }
}

/** What the condition `type` says while its status is `is`. */
function messageOf(
  { conditions }: ProjectStatus,
  type: string,
  is: NewCondition["status"],
): string | undefined {
  const condition = getCondition(conditions, type);
  return condition?.status === is ? condition.message : undefined;
}

const short = (commit: string | undefined): string => commit?.slice(0, 9) ?? "nothing";
