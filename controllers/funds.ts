/** What Budgets have left for work that has not begun: as the ledger has it, beside what Projects in work may still need. */
import type { Budget, Project } from "../pkg/api/generated.ts";
import { phaseOf } from "../pkg/api/phases.ts";
import { zoneOf } from "../pkg/gateway/budget-policy.ts";
import type { BudgetAccount, WindowAccount, WindowLimit } from "../pkg/gateway/money.ts";
import { NANO_PER_USD } from "../pkg/gateway/money.ts";
import { TransientError } from "../pkg/runtime/errors.ts";
import { budgetsInForce, type Deps, matches } from "./deps.ts";

/** One limited window of one Budget. */
export interface Purse {
  budget: string;
  period: "daily" | "monthly";
  timeZone: string;
  /** Wall time, ms: the first of the window and the first after it. */
  startMs: number;
  endMs: number;
  limit: Amount;
  /** For work that has not begun; undefined where not limited. Never below 0. */
  left: Amount;
  /** As `left`, with nothing kept for Projects that were begun before the window opened. */
  leftToFirst: Amount;
}

/** Of a unit that is not limited, undefined. */
export interface Amount {
  usd: number | undefined;
  tokens: number | undefined;
}

/** What a Project may still need that an agent works on. */
export interface Commitment {
  /** Of the agent. */
  labels: Readonly<Record<string, string>>;
  /** When it was claimed; wall time, ms. */
  sinceMs: number;
  usd: number;
  tokens: number;
}

/** Of its estimate a Project that was begun needs at least this share more, however much it has cost. */
const REST_SHARE = 0.1;

/** What `project` may still need, in USD and tokens, with `spent` so far; nothing is known without an estimate. */
export function stillNeeds(
  { status }: Project,
  spent: { usd: number; tokens: number },
): { usd: number; tokens: number } | undefined {
  const estimate = status?.estimate;
  if (estimate === undefined) return undefined;
  return {
    usd: Math.max(estimate.usd - spent.usd, estimate.usd * REST_SHARE),
    tokens: Math.max(estimate.tokens - spent.tokens, estimate.tokens * REST_SHARE),
  };
}

/**
 * The purses that pay for an agent with `labels`. Left is the limit less what is spent, and less what requests in
 * flight have reserved or Projects in work may still need, whichever is more: the one is part of the other.
 */
export function pursesOf(
  labels: Readonly<Record<string, string>> | undefined,
  accounts: readonly { budget: Budget; account: BudgetAccount }[],
  commitments: readonly Commitment[],
): readonly Purse[] {
  return accounts
    .filter(({ budget }) => matches(budget, labels))
    .flatMap(({ budget, account }) => {
      const own = commitments.filter((commitment) => matches(budget, commitment.labels));
      return (["daily", "monthly"] as const).flatMap((period) => {
        const limit = budget.spec[period];
        return limit === undefined ? [] : [purse(budget, period, limit, account[period], own)];
      });
    });
}

function purse(
  { metadata, spec }: Budget,
  period: Purse["period"],
  limit: WindowLimit,
  account: WindowAccount,
  commitments: readonly Commitment[],
): Purse {
  const { startMs, endMs } = account;
  return {
    budget: metadata.name,
    period,
    timeZone: zoneOf(spec),
    startMs,
    endMs,
    limit: { usd: limit.usd, tokens: limit.tokens },
    left: leftBeside(commitments, limit, account),
    leftToFirst: leftBeside(
      commitments.filter(({ sinceMs }) => sinceMs >= startMs),
      limit,
      account,
    ),
  };
}

function leftBeside(
  commitments: readonly Commitment[],
  limit: WindowLimit,
  { spent, reserved, spentTokens, reservedTokens }: WindowAccount,
): Amount {
  const needed = (unit: "usd" | "tokens") => commitments.reduce((sum, one) => sum + one[unit], 0);
  const left = (most: number | undefined, used: number, held: number, needs: number) =>
    most === undefined ? undefined : Math.max(0, most - used - Math.max(held, needs));
  return {
    usd: left(limit.usd, spent / NANO_PER_USD, reserved / NANO_PER_USD, needed("usd")),
    tokens: left(limit.tokens, spentTokens, reservedTokens, needed("tokens")),
  };
}

/** The accounts of all Budgets and the needs of all Projects in work, asked of the gateway now. */
export interface Funds {
  accounts: readonly { budget: Budget; account: BudgetAccount }[];
  commitments: readonly Commitment[];
}

/** @throws TransientError GatewayUnreachable when an account is unknown: that is not the same as enough */
export async function observeFunds(deps: Deps): Promise<Funds> {
  const { client, money, namespace } = deps;
  const budgets = await budgetsInForce(deps);
  const { items: projects } = await client.list("Project", { namespace });
  const { items: agents } = await client.list("Agent", { namespace });
  const begun = projects.filter(isCommitted);
  const standing = await money.standing(begun.map(({ metadata }) => metadata.name));
  if (standing === undefined) throw unreachable("what is left");
  const accounts = budgets.map((budget) => {
    const account = standing.accounts.find((one) => one.budget === budget.metadata.name);
    if (account === undefined) throw unreachable(`what Budget ${budget.metadata.name} has left`);
    return { budget, account };
  });
  const commitments = begun.flatMap((project, at) => {
    const { cost, tokens } = standing.spent[at] ?? { cost: 0, tokens: 0 };
    const needs = stillNeeds(project, { usd: cost / NANO_PER_USD, tokens });
    const claim = project.status?.claim;
    const agent = agents.find(({ metadata }) => metadata.name === claim?.agent);
    const labels = agent?.metadata.labels ?? {};
    return needs === undefined ? [] : [{ labels, sinceMs: Date.parse(claim?.time ?? ""), ...needs }];
  });
  return { accounts, commitments };
}

/** What waits for its review or for a person needs little, and perhaps for long: nothing is kept for it. */
function isCommitted(project: Project): boolean {
  const { claim, estimate } = project.status ?? {};
  return claim !== undefined && estimate !== undefined && phaseOf(project) === "Working";
}

function unreachable(what: string): TransientError {
  return new TransientError("GatewayUnreachable", `The gateway can't be asked ${what}.`);
}
