/** What happened between two looks at the workspace, a line each: for logs and pipes. */
import { getCondition } from "../../../pkg/api/conditions.ts";
import { cents } from "../../../pkg/api/dollars.ts";
import { behind } from "./behind.ts";
import { budgetTrouble } from "./budget-trouble.ts";
import type { Objects } from "./objects.ts";
import { readyNow } from "./ready-now.ts";
import { warningsOf } from "./warnings.ts";

/** @param before - undefined at the first look: everything that stands is then told */
export function changesBetween(before: Objects | undefined, after: Objects): string[] {
  return [
    ...workspaceChanges(before, after),
    ...budgetChanges(before, after),
    ...agentChanges(before, after),
    ...projectChanges(before, after),
    ...deletedProjects(before, after),
    ...escalationChanges(before, after),
    ...newWarnings(before, after),
  ];
}

type Named = { metadata: { name: string } };

/** Each object with what it was; objects that look the same to `look` are left out. */
function changed<T extends Named>(
  before: readonly T[] | undefined,
  after: readonly T[],
  look: (object: T) => string,
): { old: T | undefined; object: T }[] {
  const known = new Map((before ?? []).map((object) => [object.metadata.name, object]));
  return after
    .map((object) => ({ old: known.get(object.metadata.name), object }))
    .filter(({ old, object }) => old === undefined || look(old) !== look(object));
}

function workspaceChanges(before: Objects | undefined, { workspaces }: Objects): string[] {
  const look = (workspace: Objects["workspaces"][number]) =>
    `${workspace.spec.mode} ${workspace.status?.target?.commit ?? ""} ${obstacle(workspace)}`;
  return changed(before?.workspaces, workspaces, look).map(({ object: workspace }) => {
    const { spec, status } = workspace;
    const mark = status?.upstream === "Rehearsal" ? "[rehearsal] " : "";
    const { branch = spec.repository.targetBranch, commit } = status?.target ?? {};
    return `${mark}${spec.mode}; ${branch}${commit === undefined ? "" : ` at ${commit.slice(0, 10)}`}${obstacle(workspace)}`;
  });
}

/** What keeps a running Workspace from its work, or its branch from showing it; empty where nothing does. */
function obstacle(workspace: Objects["workspaces"][number]): string {
  const ready = readyNow(workspace);
  if (workspace.spec.mode === "Running" && ready?.status === "False")
    return `. ${ready.reason}: ${ready.message}`;
  const lag = behind(workspace);
  return lag === undefined ? "" : `. ${lag}`;
}

/** What has come in a Budget's way, not what it says all the time. */
function budgetChanges(before: Objects | undefined, { budgets }: Objects): string[] {
  const look = (budget: Objects["budgets"][number]) => budgetTrouble(budget) ?? "";
  return changed(before?.budgets, budgets, look).flatMap(({ object }) => {
    const trouble = budgetTrouble(object);
    return trouble === undefined ? [] : [`Budget ${object.metadata.name}: ${trouble}`];
  });
}

function agentChanges(before: Objects | undefined, { agents, reviews }: Objects): string[] {
  const look = ({ status }: Objects["agents"][number]) =>
    isUnanswered(status)
      ? "asks in vain"
      : `${status?.activity} ${status?.project} ${status?.review} ${status?.currentTask}`;
  const news = changed(before?.agents, agents, look).filter(({ object }) => !isUnanswered(object.status));
  return news.map(({ object: { metadata, status } }) => {
    const review = reviews.find(({ metadata: { name } }) => name === status?.review);
    const project = review?.spec.project ?? status?.project;
    const task = status?.currentTask === undefined ? "" : ` (${status.currentTask})`;
    return `${metadata.name}: ${status?.activity ?? "new"}${project === undefined ? "" : ` on ${project}`}${task}`;
  });
}

/** Its session pauses and goes on every few minutes then, which is no change to anybody; the warning tells of it. */
function isUnanswered(status: Objects["agents"][number]["status"]): boolean {
  return getCondition(status?.conditions, "Ready")?.reason === "UpstreamUnavailable";
}

function projectChanges(before: Objects | undefined, { projects }: Objects): string[] {
  const look = ({ status }: Objects["projects"][number]) =>
    `${status?.phase ?? "Queued"} ${status?.progressPercent ?? 0}`;
  return changed(before?.projects, projects, look).map(({ old, object: { metadata, status } }) => {
    const phase = status?.phase ?? "Queued";
    const was = old?.status?.phase;
    const way = was === undefined || was === phase ? phase : `${was} -> ${phase}`;
    const done = phase === "Working" ? `, ${status?.progressPercent ?? 0} % done` : "";
    // What it has cost so far is the gateway's to say until it is told.
    const cost = status?.costUSD === undefined ? "" : `, $${cents(status.costUSD)}`;
    return `${metadata.name}: ${way}${done}${cost}`;
  });
}

function deletedProjects(before: Objects | undefined, { projects }: Objects): string[] {
  const left = new Set(projects.map(({ metadata }) => metadata.name));
  const names = (before?.projects ?? []).map(({ metadata }) => metadata.name);
  return names.filter((name) => !left.has(name)).map((name) => `${name}: deleted`);
}

function escalationChanges(before: Objects | undefined, { escalations }: Objects): string[] {
  const look = ({ spec, status }: Objects["escalations"][number]) =>
    `${status?.state} ${spec.resolution?.action}`;
  return changed(before?.escalations, escalations, look).map(({ object: { metadata, spec, status } }) =>
    spec.resolution === undefined
      ? `${metadata.name}: waits for you (${spec.reason}). Answer: bosun resolve ${metadata.name} ...`
      : `${metadata.name}: ${spec.resolution.action}${status?.state === "Resolved" ? `, done. ${status.outcome ?? ""}` : ""}`,
  );
}

/** What has come up; an Escalation is told with what becomes of it, and what stops the Workspace with that. */
function newWarnings(before: Objects | undefined, after: Objects): string[] {
  const known = new Set(before === undefined ? [] : warningsOf(before).map(({ key }) => key));
  return warningsOf(after)
    .filter(({ isSaid, isPast, key }) => !isSaid && !isPast && !known.has(key))
    .map(({ line }) => `Warning: ${line}`);
}
