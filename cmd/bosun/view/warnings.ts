/** What a person should look at, out of what the objects say now. Pure. */
import { getCondition } from "../../../pkg/api/conditions.ts";
import type { Agent, Budget, Escalation, Workspace } from "../../../pkg/api/generated.ts";
import type { Objects } from "./objects.ts";

export const WARNING_TYPES = [
  /** A session's host shows no heartbeat for a minute. */
  "HeartbeatLate",
  /** For two minutes: it was ended, its session waits to be resumed. */
  "HeartbeatLost",
  /** Sessions of an agent end badly again and again. */
  "CrashLoopBackOff",
  /** For minutes a session gets nothing but refusals, or nobody can be reached: network, key, credit, overload. */
  "UpstreamUnavailable",
  /** A share of a limit is spent. */
  "BudgetAlert",
  /** The account, or a model of it, is used up for a while. */
  "UsageLimited",
  /** A person is asked. */
  "Escalation",
] as const;
export type WarningType = (typeof WARNING_TYPES)[number];

export interface Warning {
  type: WarningType;
  /** What tells it from others that stand, or stood. */
  key: string;
  /** For people, one line. */
  line: string;
  /** What the line says of it, without whose it is. */
  message: string;
  /** The agent that it keeps from its work. */
  agent?: string;
  /** The views say it in a place of its own. */
  isSaid?: true;
  /** It was told and holds no more; should it hold again, it is none that comes up. */
  isPast?: true;
}

export type Watched = Pick<Objects, "workspaces" | "agents" | "budgets" | "escalations">;

export function warningsOf({ workspaces, agents, budgets, escalations }: Watched): Warning[] {
  return [
    ...workspaces.flatMap(ofWorkspace),
    ...agents.flatMap(ofAgent),
    ...budgets.flatMap(ofBudget),
    ...escalations.filter(isOpen).map(ofEscalation),
  ];
}

export function isOpen({ spec, status }: Escalation): boolean {
  return status?.state !== "Resolved" && spec.resolution === undefined;
}

function ofWorkspace({ metadata, status }: Workspace): Warning[] {
  const usage = getCondition(status?.conditions, "UsageLimited");
  if (usage?.status !== "True") return [];
  const key = `UsageLimited ${metadata.name} ${usage.reason} ${usage.lastTransitionTime}`;
  const message = `${usage.reason}: ${usage.message}`;
  const warning: Warning = { type: "UsageLimited", key, line: message, message };
  // With the account everything stands, and the Workspace's Ready says why, a moment later.
  const isSaid = getCondition(status?.conditions, "Ready")?.reason === "UsageLimited";
  return [isSaid ? { ...warning, isSaid } : warning];
}

/** Reasons of an Agent's Ready. That the account is used up is the Workspace's to say. */
const ofAgents = ["HeartbeatLate", "HeartbeatLost", "CrashLoopBackOff", "UpstreamUnavailable"] as const;

function ofAgent({ metadata, status }: Agent): Warning[] {
  const ready = getCondition(status?.conditions, "Ready");
  const type = ofAgents.find((known) => known === ready?.reason);
  if (ready === undefined || type === undefined) return [];
  const { name } = metadata;
  const key = `${type} ${name} ${ready.lastTransitionTime}`;
  const message = `${type}: ${ready.message}`;
  return [{ type, key, line: `${name}: ${message}`, message, agent: name }];
}

/** Of each running window the highest threshold that is passed. */
function ofBudget(budget: Budget): Warning[] {
  const { metadata, status } = budget;
  const alerts = status?.alerts ?? [];
  return [...new Set(alerts.map(({ window }) => window))].map((window) => {
    const percent = Math.max(
      ...alerts.filter((alert) => alert.window === window).map((alert) => alert.percent),
    );
    const message = `${percent} % of ${window} is spent`;
    const line = `Budget ${metadata.name}: ${message}`;
    const key = `${metadata.name} ${window} ${percent}`;
    const warning: Warning = { type: "BudgetAlert", key, line, message };
    return isSpent(budget, window, percent) ? warning : { ...warning, isPast: true };
  });
}

/** Whether that much of the limits in force is spent, as far as it is told: a raised limit makes less of it. */
function isSpent({ spec, status }: Budget, window: string, percent: number): boolean {
  const period = (["daily", "monthly"] as const).find((one) => status?.[one]?.window === window);
  // Of a window that is over: what was spent in it stays.
  if (period === undefined) return true;
  const { usd, tokens } = spec[period] ?? {};
  const { spentUSD = 0, spentTokens = 0 } = status?.[period] ?? {};
  return Math.max(percentOf(spentUSD, usd), percentOf(spentTokens, tokens)) >= percent - untoldPercent;
}

function percentOf(spent: number, limit: number | undefined): number {
  if (limit === undefined) return 0;
  return limit === 0 ? 100 : (100 * spent) / limit;
}

/** So much of a limit may be spent before status has it. */
const untoldPercent = 1;

function ofEscalation({ metadata, spec }: Escalation): Warning {
  const { name, uid } = metadata;
  const message = `waits for you (${spec.reason}). Answer: bosun resolve ${name} ...`;
  return { type: "Escalation", key: `${name} ${uid}`, line: `${name}: ${message}`, message, isSaid: true };
}
