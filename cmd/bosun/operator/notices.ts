/** What a person is to be told of, out of what the objects say now. Pure. */
import { getCondition } from "../../../pkg/api/conditions.ts";
import type { Agent, Budget, Escalation, Workspace } from "../../../pkg/api/generated.ts";

/** One line for `spec.notify.command`. */
export interface Notice {
  type:
    | "Escalation"
    | "BudgetAlert"
    | "BoundViolated"
    | "EmergencyStop"
    | "BaselineFailing"
    | "UpstreamUnavailable"
    | "GatewayUnreachable"
    | "FullDisk";
  object: { kind: string; name: string };
  /** For people. */
  message: string;
  /** Why a person is asked; of an Escalation alone. */
  reason?: string;
  /** Name of the Project; of an Escalation alone, and not of each. */
  project?: string;
}

export interface Noticed {
  workspace: Workspace | undefined;
  escalations: readonly Escalation[];
  budgets: readonly Budget[];
}

/** By a key that the same thing has for ever and nothing else has. */
export function noticesOf({ workspace, escalations, budgets }: Noticed): ReadonlyMap<string, Notice> {
  return new Map([
    ...(workspace === undefined ? [] : [...stop(workspace), ...baseline(workspace)]),
    ...escalations.flatMap(question),
    ...budgets.flatMap(alerts),
    ...budgets.flatMap(violation),
  ]);
}

/** What stands still until it is over. */
export interface Outage {
  /** Wall time in milliseconds. */
  sinceMs: number;
  notice: Notice;
}

/** By a key that says what is away, whoever meets it: one for the model's API, one for the gateway. None in a stop. */
export function outagesOf({
  workspace,
  agents,
  budgets,
}: Pick<Noticed, "workspace" | "budgets"> & { agents: readonly Agent[] }): ReadonlyMap<string, Outage> {
  if (getCondition(workspace?.status?.conditions, "Stopped")?.status === "True") return new Map();
  return new Map([
    ...first("upstream", "UpstreamUnavailable", agents),
    ...first("gateway", "GatewayUnreachable", budgets),
  ]);
}

/** Of the object that has it longest. */
function first(
  what: string,
  type: "UpstreamUnavailable" | "GatewayUnreachable",
  objects: readonly (Agent | Budget)[],
): [key: string, outage: Outage][] {
  const outages = objects.flatMap((object): Outage[] => {
    const ready = getCondition(object.status?.conditions, "Ready");
    if (ready?.reason !== type) return [];
    const message = `${object.metadata.name}: ${ready.message}`;
    return [
      { sinceMs: Date.parse(ready.lastTransitionTime), notice: { type, object: nameOf(object), message } },
    ];
  });
  const [longest] = outages.toSorted((one, other) => one.sinceMs - other.sinceMs);
  return longest === undefined ? [] : [[`outage ${what}`, longest]];
}

type Keyed = [key: string, notice: Notice];

function stop(workspace: Workspace): Keyed[] {
  const stopped = getCondition(workspace.status?.conditions, "Stopped");
  if (stopped?.status !== "True") return [];
  const { message, lastTransitionTime } = stopped;
  return [[`stop ${lastTransitionTime}`, { type: "EmergencyStop", object: nameOf(workspace), message }]];
}

/** Each commit on which the checks fail is another thing to mend. */
function baseline(workspace: Workspace): Keyed[] {
  const { baseline: seen, conditions } = workspace.status ?? {};
  const passing = getCondition(conditions, "BaselinePassing");
  if (seen?.result !== "Failed" || passing?.status !== "False") return [];
  const notice = { type: "BaselineFailing", object: nameOf(workspace), message: passing.message } as const;
  return [[`baseline ${seen.commit}`, notice]];
}

function question(escalation: Escalation): Keyed[] {
  const { metadata, spec } = escalation;
  if (spec.resolution !== undefined || metadata.deletionTimestamp !== undefined) return [];
  const { reason, project, message } = spec;
  const notice: Notice = {
    type: "Escalation",
    object: nameOf(escalation),
    message: message ?? `${project ?? "The repository"} needs you: ${reason}.`,
    reason,
    ...(project === undefined ? {} : { project }),
  };
  return [[`escalation ${metadata.uid}`, notice]];
}

/** Of those that were passed at one look the highest alone: who knows that 90 % are spent knows the rest. */
function alerts(budget: Budget): Keyed[] {
  const all = budget.status?.alerts ?? [];
  const told = all.filter(
    ({ window, percent }, index) =>
      !all.some(
        (other, at) =>
          other.window === window &&
          other.percent > percent &&
          (other.time === all[index]?.time || at < index),
      ),
  );
  return told.map(({ window, percent }) => [
    `budget ${budget.metadata.uid} ${window} ${percent}`,
    {
      type: "BudgetAlert",
      object: nameOf(budget),
      message: `${percent} % of what the Budget ${budget.metadata.name} allows for ${window} are spent.`,
    },
  ]);
}

/** One request violates its bound for all Budgets: it is told once. */
function violation(budget: Budget): Keyed[] {
  const exceeded = getCondition(budget.status?.conditions, "Exceeded");
  if (exceeded?.status !== "True" || exceeded.reason !== "BoundViolated") return [];
  const { message } = exceeded;
  return [[`bound ${message}`, { type: "BoundViolated", object: nameOf(budget), message }]];
}

function nameOf({ kind, metadata }: { kind: string; metadata: { name: string } }): Notice["object"] {
  return { kind, name: metadata.name };
}
