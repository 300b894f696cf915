/** The whole workspace on one page: who works on what, how far, for how much, and what waits for a person. */

import { getCondition } from "../../../pkg/api/conditions.ts";
import { cents, dollars } from "../../../pkg/api/dollars.ts";
import type {
  Agent,
  Budget,
  BudgetStatusDaily,
  Escalation,
  Project,
  ProjectPhase,
  Workspace,
} from "../../../pkg/api/generated.ts";
import { ageOf } from "../../../pkg/api/human-duration.ts";
import { agentId } from "../../../pkg/api/names.ts";
import { zoneOf } from "../../../pkg/gateway/budget-policy.ts";
import { type Period, windowAt } from "../../../pkg/gateway/windows.ts";
import { layout } from "../tables/layout.ts";
import { behind } from "./behind.ts";
import { budgetTrouble } from "./budget-trouble.ts";
import type { Objects } from "./objects.ts";
import { readyNow } from "./ready-now.ts";
import { isOpen, warningsOf } from "./warnings.ts";

/**
 * The page as lines of at most `width` characters.
 *
 * @param now - wall time in milliseconds
 */
export function renderStatus(objects: Objects, now: number, width: number): string[] {
  const sections = [
    objects.workspaces.flatMap((workspace) => workspaceLines(workspace)),
    [...objects.budgets.flatMap((budget) => budgetLines(budget, now)), ...projectCounts(objects.projects)],
    agentTable(objects, now),
    projectTable(objects.projects),
    warningLines(objects),
    objects.escalations.filter(isOpen).flatMap((escalation) => escalationLines(escalation, now)),
  ].filter((lines) => lines.length > 0);
  return sections
    .flatMap((lines, index) => (index === 0 ? lines : ["", ...lines]))
    .map((line) => cut(line, width));
}

function workspaceLines(workspace: Workspace): string[] {
  const { spec, status } = workspace;
  const { branch = spec.repository.targetBranch, commit } = status?.target ?? {};
  const where = commit === undefined ? branch : `${branch} at ${commit.slice(0, 10)}`;
  const isRehearsal = status?.upstream === "Rehearsal";
  const lines = [`${isRehearsal ? "[rehearsal] " : ""}${where}, ${spec.mode}`];
  if (isRehearsal)
    lines.push(
      `The model is played from scenarios: costs are played too, and ${spec.repository.targetBranch} stays as it is.`,
    );
  const ready = readyNow(workspace);
  if (ready !== undefined && ready.status !== "True") lines.push(`${ready.reason}: ${ready.message}`);
  const lag = behind(workspace);
  if (lag !== undefined) lines.push(lag);
  return lines;
}

function budgetLines({ metadata, spec, status }: Budget, now: number): string[] {
  const parts: string[] = [];
  // What was told last may be of a window that is over, and one stays open while the clock is in doubt.
  const current = (period: Period): string => windowAt(period, now, zoneOf(spec)).name;
  const called = (account: BudgetStatusDaily | undefined, period: Period, running: string, over: string) =>
    account?.window === undefined || account.window === current(period)
      ? running
      : `${over} ${account.window}`;
  for (const [window, limit, account] of [
    [called(status?.daily, "daily", "today", "on"), spec.daily, status?.daily],
    [called(status?.monthly, "monthly", "this month", "in"), spec.monthly, status?.monthly],
  ] as const) {
    if (limit?.usd !== undefined) {
      const reserved = account?.reservedUSD ?? 0;
      const share = limit.usd === 0 ? 100 : ((account?.spentUSD ?? 0) / limit.usd) * 100;
      const more = reserved === 0 ? "" : `, ${usd(reserved)} reserved`;
      parts.push(
        `${usd(account?.spentUSD ?? 0)} of $${dollars(limit.usd)} ${window} (${Math.floor(share)} %${more})`,
      );
    }
    if (limit?.tokens !== undefined)
      parts.push(`${account?.spentTokens ?? 0} of ${limit.tokens} tokens ${window}`);
  }
  const exceeded = getCondition(status?.conditions, "Exceeded");
  const warning = exceeded?.status === "True" ? `  EXCEEDED: ${exceeded.message}` : "";
  const line = `Budget ${metadata.name}: ${parts.join(", ")}${warning}`;
  const trouble = budgetTrouble({ status });
  return trouble === undefined ? [line] : [line, `  ${trouble}`];
}

/** Phases in the order that work passes them. */
const phaseOrder: readonly ProjectPhase[] = [
  "Proposed",
  "Queued",
  "Working",
  "InReview",
  "ChangesRequested",
  "Approved",
  "Merging",
  "Done",
  "Escalated",
  "Abandoned",
  "Skipped",
  "Rejected",
];

function projectCounts(projects: readonly Project[]): string[] {
  if (projects.length === 0) return ["No projects. Declare one in .claude-sessions/projects/."];
  const counts = phaseOrder.flatMap((phase) => {
    const count = projects.filter((project) => phaseName(project) === phase).length;
    return count === 0 ? [] : [`${count} ${phase}`];
  });
  return [`Projects: ${counts.join(", ")}`];
}

function agentTable({ agents, projects, reviews }: Objects, now: number): string[] {
  if (agents.length === 0) return [];
  const rows = [...agents].sort(byId).map((agent) => {
    const review = reviews.find(({ metadata }) => metadata.name === agent.status?.review);
    const name = review?.spec.project ?? agent.status?.project;
    const project = projects.find(({ metadata }) => metadata.name === name);
    return [
      agent.metadata.name,
      agent.status?.activity ?? "",
      name ?? "",
      project === undefined ? "" : phaseName(project),
      project === undefined ? "" : percent(project),
      agent.status?.session === undefined
        ? ""
        : ageOf(agent.status.session.lastActivityTime, now).replace("<unknown>", ""),
      doing(agent, project),
    ];
  });
  return layout([["AGENT", "STATE", "PROJECT", "PHASE", "DONE", "ACTIVE", "DOING"], ...rows]);
}

/** What an agent is at: the task's title, or why it isn't at anything. */
function doing({ spec, status }: Agent, project: Project | undefined): string {
  if (spec.paused) return "paused";
  const ready = getCondition(status?.conditions, "Ready");
  if (ready?.status === "False" || ready?.reason === "HeartbeatLate")
    return `${ready.reason}: ${ready.message}`;
  const task = project?.spec.tasks?.find(({ id }) => id === status?.currentTask);
  return task === undefined ? (status?.currentTask ?? "") : `${task.id} ${task.title}`;
}

function projectTable(projects: readonly Project[]): string[] {
  if (projects.length === 0) return [];
  const rows = [...projects].sort(byNumber).map((project) => {
    const { metadata, spec, status } = project;
    return [
      status?.number === undefined ? "" : String(status.number),
      metadata.name,
      phaseName(project),
      percent(project),
      String(status?.reviewCycles ?? 0),
      status?.costUSD === undefined ? "" : usd(status.costUSD),
      status?.claim?.agent ?? spec.assignedAgent ?? "",
      reasonOf(project) ?? spec.title,
    ];
  });
  return layout([["NO", "PROJECT", "PHASE", "DONE", "CYCLES", "COST", "AGENT", "TITLE"], ...rows]);
}

/** Why it stands still, where something is wrong; undefined where work goes its way. */
function reasonOf({ status }: Project): string | undefined {
  const stalled = getCondition(status?.conditions, "Stalled");
  return stalled?.status === "True" ? `${stalled.reason}: ${stalled.message}` : undefined;
}

/** All that warns but what has a line of its own: questions to a person, and what keeps the Workspace from its work. */
function warningLines(objects: Objects): string[] {
  const warnings = warningsOf(objects).filter(({ isSaid, isPast }) => !isSaid && !isPast);
  return warnings.map(({ line }) => `Warning: ${line}`);
}

function escalationLines({ metadata, spec }: Escalation, now: number): string[] {
  const about = spec.project === undefined ? "" : ` on ${spec.project}`;
  return [
    `Waits for you: ${spec.reason}${about} (${ageOf(metadata.creationTimestamp, now)}): bosun resolve ${metadata.name} ...`,
  ];
}

/** A project that nobody has looked at yet has no phase; it will be queued. */
function phaseName({ status }: Project): ProjectPhase {
  return status?.phase ?? "Queued";
}

function percent({ status }: Project): string {
  return `${status?.phase === "Done" ? 100 : (status?.progressPercent ?? 0)}%`;
}

function usd(amount: number): string {
  return `$${cents(amount)}`;
}

function byId(a: Agent, b: Agent): number {
  return (agentId(a.metadata.name) ?? 0) - (agentId(b.metadata.name) ?? 0);
}

function byNumber(a: Project, b: Project): number {
  const unnumbered = Number.MAX_SAFE_INTEGER;
  return (a.status?.number ?? unnumbered) - (b.status?.number ?? unnumbered);
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}
