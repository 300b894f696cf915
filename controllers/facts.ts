/**
 * What of an object other controllers look at. A change of the rest (running numbers, what is said to people) wakes
 * nobody: each wake-up reads the world, and each status write would cause the next.
 */
import { getCondition, isTrue } from "../pkg/api/conditions.ts";
import type {
  Agent,
  Budget,
  Category,
  Project,
  ProjectPhase,
  ProjectStatus,
  Review,
  Workspace,
} from "../pkg/api/generated.ts";
import type { KubeObject } from "../pkg/api/meta.ts";
import { phaseOf } from "../pkg/api/phases.ts";

/** What a person declares, and whether it is going away. */
export function declared({ metadata }: KubeObject): unknown {
  const { uid, generation, labels, deletionTimestamp, finalizers } = metadata;
  return { uid, generation, labels, deletionTimestamp, finalizers };
}

/** All that is decided about a Project; not how far it has come, what it has cost, and what is said about it. */
export function projectFacts(object: KubeObject): unknown {
  const { status = {} } = object as Project;
  const {
    phase,
    progressPercent,
    currentTask,
    tasksDone,
    elapsedSeconds,
    costUSD,
    costTokens,
    estimate,
    review,
    completionTime,
    observedGeneration,
    conditions,
    ...facts
  } = status;
  const ended = isTrue(conditions, "Merged") || isTrue(conditions, "Abandoned");
  return [declared(object), facts, ended, heldBack(status)];
}

/** Whether the Budgets hold it back; undefined while that is not known. */
function heldBack({ conditions }: ProjectStatus): boolean | undefined {
  const affordable = getCondition(conditions, "Affordable");
  return affordable === undefined ? undefined : affordable.status === "False";
}

/**
 * Whether the phase says what is recorded. Until it does somebody is about to write it, and would be met by another's
 * write. One that is being deleted gets no phase any more.
 */
export function isShown(project: Project): boolean {
  return project.metadata.deletionTimestamp !== undefined || project.status?.phase === phaseOf(project);
}

/** All about a Project that is in `phase`, as soon as its phase says so; nothing of another. */
export function projectFactsIn(phase: ProjectPhase): (object: KubeObject) => unknown {
  return (object) =>
    phaseOf(object as Project) === phase && isShown(object as Project) ? projectFacts(object) : undefined;
}

/** All about a Project that the merge queue has to do with, as soon as its phase says so; nothing of another. */
export function queueStanding(object: KubeObject): unknown {
  const project = object as Project;
  // An announced merge is finished first, whatever else was recorded meanwhile.
  const isQueued = phaseOf(project) === "Approved" || project.status?.merge !== undefined;
  return isQueued && isShown(project) ? projectFacts(object) : undefined;
}

/** That the Projects of a Category wait; nothing of another. */
export function isPaused(object: KubeObject): unknown {
  return (object as Category).spec.mode === "Paused" ? "Paused" : undefined;
}

/** Which phase a Project is in, and whether it is going away. */
export function projectPhase(object: KubeObject): unknown {
  return [object.metadata.deletionTimestamp, phaseOf(object as Project)];
}

/** Whether the agent is ready, and whether it has something in hand: what is counted. */
export function agentStanding(object: KubeObject): unknown {
  const { conditions } = (object as Agent).status ?? {};
  return [object.metadata.uid, isAtWork(object as Agent), isTrue(conditions, "Ready")];
}

/** Whether the agent has something in hand, as its status says. */
export function isAtWork({ status }: Agent): boolean {
  return status?.project !== undefined || status?.review !== undefined;
}

/** What an agent says that it is reviewing; nothing of one that does not. */
export function reviewing(object: KubeObject): unknown {
  const { review, conditions } = (object as Agent).status ?? {};
  return getCondition(conditions, "Ready")?.reason === "Reviewing" ? review : undefined;
}

/** How far a Review has come, and who has it; nothing of one that is over. */
export function reviewFacts(object: KubeObject): unknown {
  const { state, claim, verdict, timeouts } = (object as Review).status ?? {};
  if (state === "Settled" || state === "Cancelled") return undefined;
  return [declared(object), state, claim, verdict, timeouts];
}

/** How far the session in hand has come, and how it goes. */
export function agentRun(object: KubeObject): unknown {
  const { session, failures, currentTask, tasksDone } = (object as Agent).status ?? {};
  const { id, liveSeconds, unchangedSeconds, busy, failures: badEnds } = session ?? {};
  return [
    declared(object),
    id,
    liveSeconds,
    unchangedSeconds,
    busy,
    failures,
    badEnds,
    currentTask,
    tasksDone,
  ];
}

/** Whether the agent does anything, for the numbers of agents and of those at work. */
export function agentActivity(object: KubeObject): unknown {
  return isBusy(object as Agent);
}

/** Whether the agent works or reviews. */
export function isBusy({ status }: Agent): boolean {
  return status?.activity === "working" || status?.activity === "reviewing";
}

/** What is spent of a Budget, as far as it is told. */
export function budgetNumbers(object: KubeObject): unknown {
  const { daily, monthly } = (object as Budget).status ?? {};
  return [daily, monthly];
}

/** What keeps agents from their work, or lets them. */
export function budgetStanding(object: KubeObject): unknown {
  const { conditions, daily, monthly, corrections } = (object as Budget).status ?? {};
  const exceeded = getCondition(conditions, "Exceeded");
  return [declared(object), exceeded?.status, exceeded?.reason, daily?.window, monthly?.window, corrections];
}

/** The same, and whether the gateway says how the Budget stands. */
export function budgetAnswers(object: KubeObject): unknown {
  const { conditions } = (object as Budget).status ?? {};
  return [budgetStanding(object), getCondition(conditions, "Ready")?.reason];
}

/** What of a Workspace others than its own controller say. */
export function workspaceInput(object: KubeObject): unknown {
  const { conditions, target } = (object as Workspace).status ?? {};
  const usage = getCondition(conditions, "UsageLimited");
  return [declared(object), target?.commit, getCondition(conditions, "TargetInSync")?.reason, usage?.message];
}

/** What of the accounts' limits holds every agent, and lets it go. */
export function accountLimits(object: KubeObject): unknown {
  return (object as Workspace).status?.usageLimits;
}

/** Whether work may be taken up. */
export function baselineStanding(object: KubeObject): unknown {
  const { conditions } = (object as Workspace).status ?? {};
  return getCondition(conditions, "BaselinePassing")?.status;
}
