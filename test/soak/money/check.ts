/**
 * Holds the ledger against the upstream's own bill, by code of its own: nothing here asks the gateway. Says what is wrong,
 * nothing when all is right.
 */
import type { Granted, Line, Reserved } from "../../../pkg/gateway/ledger-lines.ts";
import type { BudgetPolicy } from "../../../pkg/gateway/money.ts";
import type { InForce } from "./operator.ts";
import type { BillLine } from "./upstream.ts";

/** By how much a clock that counts as confirmed may be ahead, in ms. */
const AHEAD_MS_MAX = 300_000;

export interface Evidence {
  lines: readonly Line[];
  bill: readonly BillLine[];
  inForce: readonly InForce[];
  /** How many requests the upstream billed above their bound on purpose. */
  violations: number;
}

export interface Verdict {
  problems: string[];
  requests: number;
  windows: number;
  /** In nano-dollars: what the ledger charges and what the upstream bills, in all. */
  charged: number;
  billed: number;
}

interface Account {
  reserved: Reserved;
  /** Line numbers, from 0. */
  line: number;
  state: string;
  cost: number;
  tokens: number;
  upstreamId?: string | undefined;
  wasSent: boolean;
  byPerson: boolean;
}

export function check({ lines, bill, inForce, violations }: Evidence): Verdict {
  const problems: string[] = [];
  const accounts = new Map<string, Account>();
  const grants = new Map<string, Granted>();
  const newest = new Map<string, Granted>();
  const spans = new Map<string, { granted: Granted; limit: number }>();
  const violated = new Set<string>();
  let at = 0;

  for (const [index, line] of lines.entries()) {
    if (line.seq !== index + 1) problems.push(`line ${index + 1} has seq ${line.seq}`);
    if (line.step === "granted") onGranted(line);
    if (line.step === "reserved") onReserved(line, index);
    else if ("id" in line) onStep(line);
  }
  const open = [...accounts.values()].filter(({ state }) => ["reserved", "sent"].includes(state));
  for (const { reserved } of open) problems.push(`request ${reserved.id} never ended`);
  const billOf = matched(accounts, bill, problems);
  for (const [id, account] of accounts) onBill(account, billOf.get(id), id);
  onWindows();
  const found = lines.filter(({ step }) => step === "violated").length;
  if (found !== violations) problems.push(`${found} violations were found of ${violations}`);

  const costs = [...accounts.values()].map(({ cost }) => cost);
  return {
    problems,
    requests: accounts.size,
    windows: spans.size,
    charged: total(costs),
    billed: total(bill.map(({ cost }) => cost)),
  };

  function onGranted(line: Granted): void {
    grants.set(line.grant, line);
    const key = `${line.budget} ${line.period}`;
    const before = newest.get(key);
    newest.set(key, line);
    if (before === undefined || before.window === line.window) return;
    if (line.window < before.window)
      problems.push(`${key}: window ${before.window} was followed by ${line.window}`);
    if (line.at < before.endMs)
      problems.push(`${key}: ${line.window} was opened before ${before.window} was over`);
  }

  /** A grant: no limit in force may be exceeded by what is spent and reserved then, this reservation included. */
  function onReserved(line: Reserved, index: number): void {
    const id = line.id;
    if (accounts.has(id)) problems.push(`request ${id} was reserved twice`);
    if (violated.size > 0) problems.push(`request ${id} was reserved after a violation`);
    if (line.at < at) problems.push(`request ${id} is counted before the one before it`);
    at = line.at;
    const { cost, tokens } = line;
    accounts.set(id, {
      reserved: line,
      line: index,
      state: "reserved",
      cost,
      tokens,
      wasSent: false,
      byPerson: false,
    });
    const named = line.grants.map((grant) => grants.get(grant)).filter((grant) => grant !== undefined);
    if (named.length !== line.grants.length || named.length === 0)
      problems.push(`request ${id} names grants that the ledger has not`);
    for (const granted of named) {
      const used = usedIn(granted);
      if (line.at < granted.startMs || line.at >= granted.endMs)
        problems.push(`request ${id} is counted outside of ${granted.grant}`);
      if (used.cost > (granted.limitCost ?? Number.POSITIVE_INFINITY))
        problems.push(`request ${id} takes ${granted.grant} to ${used.cost} of ${granted.limitCost}`);
      if (used.tokens > (granted.limitTokens ?? Number.POSITIVE_INFINITY))
        problems.push(
          `request ${id} takes ${granted.grant} to ${used.tokens} of ${granted.limitTokens} tokens`,
        );
      const span = spans.get(granted.grant);
      const limit = Math.max(span?.limit ?? 0, granted.limitCost ?? Number.POSITIVE_INFINITY);
      spans.set(granted.grant, { granted, limit });
    }
    const possible = inForceAt(inForce, index).map((budgets) => limitsOf(budgets, line));
    const granted = named.map(
      ({ uid, period, limitCost, limitTokens }) => `${uid} ${period} ${limitCost} ${limitTokens}`,
    );
    if (!possible.some((limits) => limits.join() === granted.sort().join()))
      problems.push(`request ${id} was granted under ${granted}, not under ${possible.join(" or ")}`);
  }

  function onStep(line: Extract<Line, { id: string }>): void {
    const account = accounts.get(line.id);
    if (account === undefined) return void problems.push(`request ${line.id} was never reserved`);
    if (line.step === "sent") account.wasSent = true;
    if (line.step === "violated") violated.add(line.id);
    if (line.step === "released") Object.assign(account, { cost: 0, tokens: 0 });
    if (line.step === "settled" || line.step === "unsettled") {
      const { cost, tokens, upstreamId } = line;
      if (cost > account.cost || tokens > account.tokens) violated.add(line.id);
      Object.assign(account, { cost, tokens, upstreamId });
    }
    if (line.step === "personSettled") {
      violated.delete(line.id);
      Object.assign(account, { cost: line.cost, byPerson: true });
    }
    if (line.step !== "violated" && line.step !== "personSettled") account.state = line.step;
  }

  function onBill(
    { reserved, cost, state, wasSent, byPerson }: Account,
    billed: BillLine | undefined,
    id: string,
  ): void {
    if (billed === undefined) {
      if (state === "settled" && cost > 0 && !byPerson)
        problems.push(`request ${id} is charged and was never billed`);
      return;
    }
    // By the upstream's own clock, which is right: no machine's clock may open a window before its time.
    if (reserved.at > Date.parse(billed.at) + AHEAD_MS_MAX)
      problems.push(
        `request ${id} is counted at ${new Date(reserved.at).toISOString()}, and arrived ${billed.at}`,
      );
    if (!wasSent) problems.push(`request ${id} arrived and the ledger never sent it`);
    if (billed.cost > cost) problems.push(`request ${id} is billed ${billed.cost} and charged ${cost}`);
    if (billed.how !== "above its bound" && billed.cost > reserved.cost)
      problems.push(
        `request ${id} is billed ${billed.cost} above its bound ${reserved.cost}: the soak's fault`,
      );
    if (billed.maxTokens !== reserved.maxTokens)
      problems.push(`request ${id} was sent with another max_tokens`);
  }

  /**
   * The bill of each window against its charge. What was reserved under a grant stays within the greatest limit that it
   * had; what was reserved while its selector was another counts too once it is changed back, and no limit held that then.
   */
  function onWindows(): void {
    for (const [name, { granted, limit }] of spans) {
      const here = [...accounts].filter(([, account]) => belongs(account, granted));
      const charged = total(here.map(([, { cost }]) => cost));
      const billed = total(here.map(([id]) => billOf.get(id)?.cost ?? 0));
      const hasViolation = here.some(([id]) => billOf.get(id)?.how === "above its bound");
      if (billed > charged) problems.push(`${name}: ${billed} billed, ${charged} charged`);
      const under = total(
        here.filter(([, { reserved }]) => reserved.grants.includes(name)).map(([, { cost }]) => cost),
      );
      if (under > limit && !hasViolation) problems.push(`${name}: ${under} charged of ${limit}`);
    }
  }

  function usedIn(granted: Granted): { cost: number; tokens: number } {
    const here = [...accounts.values()].filter((account) => belongs(account, granted));
    return { cost: total(here.map(({ cost }) => cost)), tokens: total(here.map(({ tokens }) => tokens)) };
  }
}

function belongs({ reserved: { at, labels } }: Account, { startMs, endMs, selector }: Granted): boolean {
  return (
    at >= startMs && at < endMs && Object.entries(selector).every(([key, value]) => labels[key] === value)
  );
}

/** What the upstream billed for each request of the ledger: by the upstream's id, or in order where no answer named it. */
function matched(
  accounts: ReadonlyMap<string, Account>,
  bill: readonly BillLine[],
  problems: string[],
): Map<string, BillLine> {
  const billOf = new Map<string, BillLine>();
  const byUpstreamId = new Map([...accounts].map(([id, { upstreamId }]) => [upstreamId, id]));
  const unnamed = [...accounts].filter(([, { upstreamId, wasSent }]) => upstreamId === undefined && wasSent);
  for (const line of bill) {
    const named = byUpstreamId.get(line.upstreamId);
    // A client's retries follow each other, so what has the same name arrived in the order of the ledger.
    const index = unnamed.findIndex(
      ([
        ,
        {
          reserved: { host, turn },
        },
      ]) => `${host}/${turn}` === line.asked,
    );
    const id = named ?? unnamed.splice(index, index < 0 ? 0 : 1)[0]?.[0];
    if (id === undefined || billOf.has(id))
      problems.push(`the ledger has no request for the bill's ${line.upstreamId}`);
    else billOf.set(id, line);
  }
  return billOf;
}

/** The Budgets that may have been in force for line `index`: one set, or two while they were being changed. */
function inForceAt(inForce: readonly InForce[], index: number): (readonly BudgetPolicy[])[] {
  const newestSure = inForce.findLastIndex(({ surelyFromLine }) => surelyFromLine <= index);
  return inForce
    .filter(({ fromLine }, i) => i >= newestSure && fromLine <= index)
    .map(({ budgets }) => budgets);
}

function limitsOf(budgets: readonly BudgetPolicy[], { labels }: Reserved): string[] {
  return budgets
    .filter(({ selector }) => Object.entries(selector).every(([key, value]) => labels[key] === value))
    .flatMap(({ uid, ...limits }) =>
      (["daily", "monthly"] as const)
        .filter((period) => limits[period] !== undefined)
        .map((period) => {
          const { usd, tokens } = limits[period] ?? {};
          return `${uid} ${period} ${usd === undefined ? null : Math.round(usd * 1e9)} ${tokens ?? null}`;
        }),
    )
    .sort();
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);
