/**
 * What of an object other controllers look at. A change of the rest (running numbers, what is said to people) wakes
 * nobody: each wake-up reads the world, and each status write would cause the next.
 */
import { getCondition } from "../pkg/api/conditions.ts";
import type { Agent, Budget, Project, Workspace } from "../pkg/api/generated.ts";
import type { KubeObject } from "../pkg/api/meta.ts";
import { phaseOf } from "../pkg/api/phases.ts";

/** What a person declares, and whether it is going away. */
export function declared({ metadata }: KubeObject): unknown {
  const { uid, generation, labels, deletionTimestamp, finalizers } = metadata;
  return { uid, generation, labels, deletionTimestamp, finalizers };
}

/** All that is decided about a Project; not how far it has come and what it has cost. */
export function projectFacts(object: KubeObject): unknown {
  const { progressPercent, currentTask, tasksDone, elapsedSeconds, costUSD, conditions, ...facts } =
    (object as Project).status ?? {};
  const said = (conditions ?? []).map(({ type, status, reason }) => [type, status, reason]);
  return [declared(object), facts, said];
}

export function projectPhase(object: KubeObject): unknown {
  return [object.metadata.deletionTimestamp, phaseOf(object as Project)];
}

/** Whether the agent is there, ready and at work, and on what. */
export function agentStanding(object: KubeObject): unknown {
  const { project, review, activity, budgetMark, conditions } = (object as Agent).status ?? {};
  const { status, reason } = getCondition(conditions, "Ready") ?? {};
  return [declared(object), project, review, activity, budgetMark, status, reason];
}

/** What keeps agents from their work, or lets them. */
export function budgetStanding(object: KubeObject): unknown {
  const { conditions, daily, monthly } = (object as Budget).status ?? {};
  const exceeded = getCondition(conditions, "Exceeded");
  return [declared(object), exceeded?.status, exceeded?.reason, daily?.window, monthly?.window];
}

export function workspaceStanding(object: KubeObject): unknown {
  const { conditions } = (object as Workspace).status ?? {};
  return [declared(object), getCondition(conditions, "BaselinePassing")?.status];
}
