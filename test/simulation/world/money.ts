/** The gateway's books in memory: reserves before it spends, and never more than a Budget allows. */
import {
  type BudgetAccount,
  type BudgetPolicy,
  type CostQuery,
  type Money,
  NANO_PER_USD,
  type NanoUSD,
  type SessionGrant,
  type Spent,
  type UsageLimit,
  type WindowAccount,
  type WindowLimit,
} from "../../../pkg/gateway/money.ts";
import { type Window, windowAt } from "../../../pkg/gateway/windows.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { throttle } from "../../../pkg/runtime/throttle.ts";
import { hash } from "./hash.ts";

/** What a request costs at most. */
export interface Bound {
  usd: NanoUSD;
  tokens: number;
}

export interface LedgerEntry {
  grant: SessionGrant;
  atMs: number;
  /** The bound while it is reserved, the cost once settled. */
  amount: Bound;
  settled: boolean;
}

export type Reservation =
  | { is: "granted"; entry: LedgerEntry }
  /** It fits once others have settled. */
  | { is: "waits" }
  | { is: "refused"; reason: "BudgetExceeded" | "NoBudget" | "UsageLimited"; message: string };

interface Counted {
  spent: Bound;
  reserved: Bound;
  requests: number;
}

const periods = ["daily", "monthly"] as const;

export class SimMoney implements Money {
  readonly #clock: Clock;
  readonly ledger: LedgerEntry[] = [];
  /** Told of each amount that the ledger takes in: a bound when granted, the rest of it, negative, when settled. */
  onEntry: (entry: LedgerEntry, usd: NanoUSD) => void = () => {};
  #policies: readonly BudgetPolicy[] = [];
  #usedUpUntilMs = 0;
  readonly #grants = new Map<string, SessionGrant>();
  /** By budget and window. */
  readonly #counted = new Map<string, Counted>();
  readonly #windows = new Map<string, Window>();
  /** By Project. */
  readonly #costs = new Map<string, Spent>();
  readonly #wakers = new Set<{ atOnce: () => void; inTime: () => void }>();
  /** In which hundredth of its limit each window stands. */
  #news = "";

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get policies(): readonly BudgetPolicy[] {
    return this.#policies;
  }

  async setBudgets(budgets: readonly BudgetPolicy[]): Promise<void> {
    const before = JSON.stringify(this.#policies);
    if (JSON.stringify(budgets) === before) return;
    this.#policies = structuredClone(budgets);
    // Spent is computed from the ledger by window and selector: a new selector reaches back.
    this.#counted.clear();
    for (const entry of this.ledger) this.#count(entry, entry.settled ? "spent" : "reserved", 1);
    this.#wake();
  }

  async admit(grant: SessionGrant): Promise<{ url: string; token: string }> {
    this.#grants.set(grant.session, grant);
    return { url: "http://127.0.0.1:1", token: hash(`${grant.session} ${grant.run}`) };
  }

  async dismiss(session: string): Promise<void> {
    this.#grants.delete(session);
  }

  async account(budget: string): Promise<BudgetAccount | undefined> {
    const policy = this.#policies.find(({ name }) => name === budget);
    if (policy === undefined) return undefined;
    const [daily, monthly] = periods.map((period) => this.#window(policy, period));
    if (daily === undefined || monthly === undefined) return undefined;
    return { budget, daily, monthly, boundViolated: false };
  }

  async cost(query: CostQuery): Promise<NanoUSD | undefined> {
    return (await this.spent(query)).cost;
  }

  async spent(query: CostQuery): Promise<Spent> {
    const { project, session, agent, purpose } = query;
    if (project !== undefined && session === undefined && agent === undefined && purpose === undefined)
      return this.#costs.get(project) ?? { cost: 0, tokens: 0 };
    const sum = { cost: 0, tokens: 0 };
    for (const { grant, amount, settled } of this.ledger) {
      if (!settled) continue;
      if (project !== undefined && grant.project !== project) continue;
      if (session !== undefined && grant.session !== session) continue;
      if (agent !== undefined && grant.agent !== agent) continue;
      if (purpose !== undefined && grant.purpose !== purpose) continue;
      sum.cost += amount.usd;
      sum.tokens += amount.tokens;
    }
    return sum;
  }

  async closedWindow(budget: string, window: string): Promise<WindowAccount | undefined> {
    if (!this.#policies.some(({ name }) => name === budget)) return undefined;
    const { spent, reserved, requests } = this.#counted.get(`${budget} ${window}`) ?? nothing();
    return {
      ...{ window, startMs: 0, endMs: 0, spent: spent.usd, reserved: reserved.usd },
      ...{ spentTokens: spent.tokens, reservedTokens: reserved.tokens, requests, unsettled: 0 },
    };
  }

  async usageLimits(): Promise<readonly UsageLimit[]> {
    return this.#usedUpUntilMs > this.#clock.now() ? [{ untilMs: this.#usedUpUntilMs }] : [];
  }

  /** The account is used up for `ms` milliseconds from now. */
  useUp(ms: number): void {
    this.#usedUpUntilMs = this.#clock.now() + ms;
  }

  subscribe(wake: () => void, { everyMs, signal }: { everyMs: () => number; signal: AbortSignal }): void {
    const now = throttle(wake, { clock: this.#clock, ms: everyMs, signal });
    const waker = { atOnce: wake, inTime: now };
    this.#wakers.add(waker);
    signal.addEventListener("abort", () => this.#wakers.delete(waker), { once: true });
  }

  /** The operator died: who subscribed hears nothing more. */
  crash(): void {
    this.#wakers.clear();
  }

  /** Sets `bound` aside in every Budget that holds for the session, or says why not. */
  reserve(session: string, bound: Bound): Reservation {
    const grant = this.#grants.get(session);
    const matching = this.#policies.filter(({ selector }) =>
      Object.entries(selector).every(([key, value]) => grant?.labels[key] === value),
    );
    if (grant === undefined || matching.length === 0)
      return { is: "refused", reason: "NoBudget", message: "No Budget holds for this session." };
    for (const policy of matching)
      for (const period of periods) {
        const limit = policy[period];
        if (limit === undefined) continue;
        const { spent, reserved } = this.#countedIn(policy, period, this.#nowMs());
        if (!fits(spent, bound, limit))
          return {
            is: "refused",
            reason: "BudgetExceeded",
            message: `The Budget ${policy.name} has too little left for a request.`,
          };
        if (!fits(plus(spent, reserved, 1), bound, limit)) return { is: "waits" };
      }
    if (this.#usedUpUntilMs > this.#clock.now())
      return { is: "refused", reason: "UsageLimited", message: "UsageLimited: the account is used up." };
    const entry: LedgerEntry = { grant, atMs: this.#nowMs(), amount: { ...bound }, settled: false };
    this.ledger.push(entry);
    this.#count(entry, "reserved", 1);
    this.onEntry(entry, bound.usd);
    return { is: "granted", entry };
  }

  /** @param cost - what was used; never more than the bound */
  settle(entry: LedgerEntry, cost: Bound): void {
    this.#count(entry, "reserved", -1);
    this.onEntry(entry, cost.usd - entry.amount.usd);
    entry.amount = cost;
    entry.settled = true;
    this.#count(entry, "spent", 1);
    const { project } = entry.grant;
    const before = this.#costs.get(project) ?? { cost: 0, tokens: 0 };
    this.#costs.set(project, { cost: before.cost + cost.usd, tokens: before.tokens + cost.tokens });
    this.#wake();
  }

  #wake(): void {
    const news = this.#hundredths();
    const isNews = news !== this.#news;
    this.#news = news;
    for (const { atOnce, inTime } of [...this.#wakers]) isNews ? atOnce() : inTime();
  }

  #hundredths(): string {
    const now = this.#clock.now();
    return this.#policies
      .flatMap((policy) =>
        periods.map((period) => {
          const { spent } = this.#countedIn(policy, period, now);
          const { usd = 0, tokens = 0 } = policy[period] ?? {};
          const share = Math.max(
            usd === 0 ? 0 : spent.usd / NANO_PER_USD / usd,
            tokens === 0 ? 0 : spent.tokens / tokens,
          );
          return Math.floor(100 * share);
        }),
      )
      .join();
  }

  #count(entry: LedgerEntry, as: "spent" | "reserved", sign: 1 | -1): void {
    for (const policy of this.#policies) {
      if (!Object.entries(policy.selector).every(([key, value]) => entry.grant.labels[key] === value))
        continue;
      for (const period of periods) {
        const counted = this.#countedIn(policy, period, entry.atMs);
        counted[as] = plus(counted[as], entry.amount, sign);
        if (as === "reserved" && sign === 1) counted.requests += 1;
      }
    }
  }

  #countedIn({ name, timeZone }: BudgetPolicy, period: (typeof periods)[number], atMs: number): Counted {
    const key = `${name} ${windowName(period, atMs, timeZone)}`;
    let counted = this.#counted.get(key);
    if (counted === undefined) {
      counted = nothing();
      this.#counted.set(key, counted);
    }
    return counted;
  }

  /** When money is counted: it never goes back, so that no window opens again. */
  #nowMs(): number {
    return Math.max(this.#clock.now(), this.ledger.at(-1)?.atMs ?? 0);
  }

  /** The calendar is slow, and asked at every look. */
  #windowAt(period: (typeof periods)[number], nowMs: number, timeZone: string): Window {
    const key = `${period} ${windowName(period, nowMs, timeZone)} ${timeZone}`;
    const window = this.#windows.get(key) ?? windowAt(period, nowMs, timeZone);
    this.#windows.set(key, window);
    return window;
  }

  #window(policy: BudgetPolicy, period: (typeof periods)[number]): WindowAccount {
    const now = this.#nowMs();
    const { name, startMs, endMs } = this.#windowAt(period, now, policy.timeZone);
    const { spent, reserved, requests } = this.#countedIn(policy, period, now);
    return {
      window: name,
      startMs,
      endMs,
      spent: spent.usd,
      reserved: reserved.usd,
      spentTokens: spent.tokens,
      reservedTokens: reserved.tokens,
      requests,
      unsettled: 0,
    };
  }
}

const dayMs = 86_400_000;
const lastDay = { day: Number.NaN, name: "" };

function nothing(): Counted {
  return { spent: { usd: 0, tokens: 0 }, reserved: { usd: 0, tokens: 0 }, requests: 0 };
}

/** UTC without a calendar library: this is asked at every request. */
function windowName(period: (typeof periods)[number], atMs: number, timeZone: string): string {
  if (timeZone !== "UTC") return windowAt(period, atMs, timeZone).name;
  const day = Math.floor(atMs / dayMs);
  if (lastDay.day !== day) Object.assign(lastDay, { day, name: new Date(atMs).toISOString().slice(0, 10) });
  return period === "daily" ? lastDay.name : lastDay.name.slice(0, 7);
}

function fits(used: Bound, bound: Bound, limit: WindowLimit): boolean {
  if (limit.usd !== undefined && used.usd + bound.usd > limit.usd * NANO_PER_USD) return false;
  return limit.tokens === undefined || used.tokens + bound.tokens <= limit.tokens;
}

const plus = (a: Bound, b: Bound, sign: 1 | -1): Bound => ({
  usd: a.usd + sign * b.usd,
  tokens: a.tokens + sign * b.tokens,
});
