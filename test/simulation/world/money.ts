/**
 * The gateway without its process: the real line, payments, ledger state, rate limits and trusted time, an upstream of
 * the simulated world, and lives of its own, which end at any step of a request.
 */
import { windowOf } from "../../../pkg/gateway/grants.ts";
import { type Ledger, openLedger } from "../../../pkg/gateway/ledger.ts";
import type { Line, Step } from "../../../pkg/gateway/ledger-lines.ts";
import type { LedgerState } from "../../../pkg/gateway/ledger-state.ts";
import type { MessagesRequest } from "../../../pkg/gateway/messages-request.ts";
import {
  type BudgetAccount,
  type BudgetPolicy,
  type CostQuery,
  type LimitMet,
  type Money,
  type MoneyStanding,
  NANO_PER_USD,
  type NanoUSD,
  type SessionGrant,
  type Spent,
  type UsageLimit,
  type WindowAccount,
} from "../../../pkg/gateway/money.ts";
import { type Payment, Payments } from "../../../pkg/gateway/payments.ts";
import { priceOf } from "../../../pkg/gateway/prices.ts";
import { type KeptUsageLimit, RateLimits } from "../../../pkg/gateway/rate-limits.ts";
import type { Ending } from "../../../pkg/gateway/settlement.ts";
import { TimeKeeper } from "../../../pkg/gateway/time-keeper.ts";
import type { Period } from "../../../pkg/gateway/windows.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { throttle } from "../../../pkg/runtime/throttle.ts";
import { EndSignal } from "../kernel/end-signal.ts";
import type { Prng } from "../kernel/prng.ts";
import { type Incarnation, Revoked } from "../kernel/scheduler.ts";
import { type DiskFaults, noDiskFaults, type SimDisk } from "./disk.ts";
import { hash } from "./hash.ts";
import type { SimUpstream } from "./upstream.ts";

const minute = 60_000;
/** Some a day. */
const checkpoints = { afterBytes: 64 * 1024, requests: 20 };
const PERIODS = ["daily", "monthly"] as const;

export interface SimMoneyOptions {
  /** Each life of the gateway, by its name. */
  incarnation: (name: string) => Incarnation;
  /** Of what outlives them: it restarts a gateway that died. */
  world: { clock: Clock };
  prng: (stream: string) => Prng;
  upstream: SimUpstream;
  /** What the ledger is on. */
  disk: SimDisk;
}

export interface MoneyEvents {
  /** A gateway begins with what the last one left, as its ledger has it. */
  opened?: (state: LedgerState, text: string) => void;
  /** A line is added. */
  line?: (line: Line) => void;
}

/** One request of a session. */
export interface AskedRequest {
  session: string;
  model: string;
  /** Complete turns of the session's conversation, and one. */
  turn: number;
  /** Another one after each start. */
  host: string;
  request: Pick<MessagesRequest, "messages" | "max_tokens"> & { cache_control?: { type: string } };
  /** How long the upstream takes for it, in milliseconds. */
  takesMs: number;
  /** The host is gone: in line it leaves, and what is sent is read to its end by the gateway. */
  signal: AbortSignal;
}

export type Answered =
  | { is: "answered"; status: number; waitMs: number | undefined }
  /** Refused: asking again changes nothing until a Budget or a window does. */
  | {
      is: "refused";
      reason: "BudgetExceeded" | "NoBudget" | "BoundViolated" | "UsageLimited";
      message: string;
      budgets?: readonly string[];
      limits?: readonly LimitMet[];
    }
  /** Not now: it waited in line for as long as it may, or there was no gateway, or no status. */
  | { is: "later"; seconds: number; message: string };

interface Life {
  incarnation: Incarnation;
  ledger: Ledger;
  payments: Payments;
  time: TimeKeeper;
  rateLimits: RateLimits;
  /** Comes when the gateway is no more. */
  ending: EndSignal;
}

export class SimMoney implements Money {
  events: MoneyEvents = {};
  readonly diskFaults: DiskFaults = { ...noDiskFaults };
  readonly upstream: SimUpstream;
  /** How often it dies at a failpoint that it passes, 0 to 1. */
  deaths = 0;
  /** It is not started again while this holds: the emergency stop. */
  isHeld: () => boolean = () => false;
  readonly #options: SimMoneyOptions;
  readonly #chance: Prng;
  readonly #sessions = new Map<string, SessionGrant>();
  readonly #wakers = new Set<{ atOnce: () => void; inTime: () => void }>();
  /** In which hundredth of its limit each window stands. */
  #news = "";
  #policies: readonly BudgetPolicy[] | undefined;
  /** The operator lives, and has said which Budgets there are. */
  #leased = false;
  /** Usage limits, as the gateway keeps them on its disk. */
  #usedUp: readonly KeptUsageLimit[] = [];
  #life: Life | undefined;
  #lives = 0;
  #opening: Incarnation | undefined;

  constructor(options: SimMoneyOptions) {
    this.#options = options;
    this.upstream = options.upstream;
    this.#chance = options.prng("gateway");
  }

  /** The Budgets in force; those of a gateway that died hold until the operator says others. */
  get policies(): readonly BudgetPolicy[] {
    return this.#policies ?? [];
  }

  async setBudgets(budgets: readonly BudgetPolicy[]): Promise<void> {
    this.#policies = structuredClone(budgets);
    this.#leased = true;
    const life = await this.#start();
    life?.payments.setBudgets(this.#policies);
    life?.time.now();
    this.#wake();
  }

  async admit(grant: SessionGrant): Promise<{ url: string; token: string }> {
    this.#sessions.set(grant.session, grant);
    return { url: "http://127.0.0.1:1", token: hash(`${grant.session} ${grant.run}`) };
  }

  async dismiss(session: string): Promise<void> {
    this.#sessions.delete(session);
  }

  async account(name: string): Promise<BudgetAccount | undefined> {
    const budget = this.#policies?.find((one) => one.name === name);
    if (budget === undefined || this.#life === undefined) return undefined;
    const [daily, monthly] = PERIODS.map((period) => this.#window(budget, period));
    if (daily === undefined || monthly === undefined) return undefined;
    const { ledger, time } = this.#life;
    const { trust } = time.now();
    return {
      ...{ budget: name, daily, monthly },
      boundViolated: ledger.state.violated.length > 0,
      ...(trust.is === "unconfirmed" ? { clock: trust.message } : {}),
    };
  }

  whyUnknown(): string | undefined {
    return this.#life === undefined ? "The gateway is gone." : undefined;
  }

  async standing(projects: readonly string[]): Promise<MoneyStanding | undefined> {
    const accounts = await Promise.all(this.policies.map(({ name }) => this.account(name)));
    const spent = await Promise.all(projects.map((project) => this.spent({ project })));
    const known = { accounts: accounts.filter(isKnown), spent: spent.filter(isKnown) };
    const isWhole = known.accounts.length === accounts.length && known.spent.length === spent.length;
    return isWhole && this.#life !== undefined ? known : undefined;
  }

  async cost(query: CostQuery): Promise<NanoUSD | undefined> {
    return (await this.spent(query))?.cost;
  }

  async spent({ project, session, agent, purpose }: CostQuery): Promise<Spent | undefined> {
    const life = await this.#start();
    if (life === undefined) return undefined;
    const { spent, spentTokens } = life.ledger.state.sums({ project, session, agent, purpose });
    return { cost: spent, tokens: spentTokens };
  }

  async closedWindow(name: string, window: string): Promise<WindowAccount | undefined> {
    const budget = this.#policies?.find((one) => one.name === name);
    if (budget === undefined || this.#life === undefined) return undefined;
    const { state } = this.#life.ledger;
    const granted = [...state.grants()].findLast((one) => one.budget === name && one.window === window);
    const { startMs = 0, endMs = 0, selector = budget.selector } = granted ?? {};
    return { window, startMs, endMs, ...state.sums({ selector, startMs, endMs }) };
  }

  async usageLimits(): Promise<readonly UsageLimit[] | undefined> {
    return (await this.#start())?.rateLimits.usageLimits();
  }

  subscribe(wake: () => void, { everyMs, signal }: { everyMs: () => number; signal: AbortSignal }): void {
    const now = throttle(wake, { clock: this.#options.world.clock, ms: everyMs, signal });
    const waker = { atOnce: wake, inTime: now };
    this.#wakers.add(waker);
    signal.addEventListener("abort", () => this.#wakers.delete(waker), { once: true });
  }

  // What is only in the simulated world

  /** The account is used up for `ms` milliseconds from now. */
  useUp(ms: number): void {
    this.upstream.usedUpUntilMs = this.upstream.trueMs + ms;
  }

  /** The operator died: nobody renews the lease, and who subscribed hears nothing more. */
  crash(): void {
    this.#wakers.clear();
    this.#leased = false;
  }

  /** The gateway dies, with all that was in line and in flight; it is started again some seconds later. */
  die(): void {
    const life = this.#life;
    const incarnation = life?.incarnation ?? this.#opening;
    if (incarnation === undefined) return;
    this.#life = undefined;
    this.#opening = undefined;
    incarnation.revoke();
    life?.ending.come();
    void this.#restart();
  }

  /** What a session's host gets for one request. */
  async ask(asked: AskedRequest): Promise<Answered> {
    const life = await this.#start();
    if (life === undefined) return { is: "later", seconds: 30, message: "There is no gateway." };
    const gone: Answered = {
      is: "later",
      seconds: 10,
      message: "The gateway ended before the answer did.",
    };
    const forwarded = this.#forward(life, asked).catch((error: unknown) => {
      // What a dead gateway was about to do next does not happen.
      if (error instanceof Revoked) return gone;
      throw error;
    });
    return life.ending.or(forwarded, () => gone);
  }

  async #forward(life: Life, asked: AskedRequest): Promise<Answered> {
    const { session: id, model, turn, host, takesMs } = asked;
    const signal = heardBy(life.incarnation, asked.signal);
    const session = this.#sessions.get(id);
    const price = priceOf(model);
    if (session === undefined || price === undefined)
      return { is: "refused", reason: "NoBudget", message: "The gateway knows no such session or model." };
    const request: MessagesRequest = { ...asked.request, model };
    const reserving = await life.payments.reserve(request, {
      session,
      price,
      asked: { turn, host },
      signal,
    });
    if (reserving.is === "used up")
      return { is: "refused", reason: "UsageLimited", message: reserving.message };
    if (reserving.is === "waited")
      return { is: "later", seconds: reserving.retryAfterSeconds, message: reserving.message };
    if (reserving.is === "unconfirmed") return { is: "later", seconds: 60, message: reserving.message };
    if (reserving.is === "refused") {
      const { message, budgets, limits, reason: said } = reserving;
      return {
        is: "refused",
        reason: said === "ClockUnconfirmed" ? "BudgetExceeded" : said,
        message,
        ...(budgets.length === 0 ? {} : { budgets }),
        ...(limits === undefined ? {} : { limits }),
      };
    }
    const { payment } = reserving;
    if (signal.aborted) {
      await this.#end(payment, { is: "not sent", why: "the client left" });
      throw signal.reason;
    }
    await payment.sent();
    const { ending, refusal } = this.upstream.take(payment.id, payment.request, price);
    const ms = ending.is === "answered" && ending.status === 200 ? takesMs : 1000;
    await life.incarnation.clock.sleep(ms);
    if (ending.is === "answered") {
      life.time.heard(this.upstream.date);
      payment.answered(ending.status, refusal);
    }
    await this.#end(payment, ending);
    if (refusal?.usedUp !== undefined)
      return { is: "refused", reason: "UsageLimited", message: "The account is used up." };
    if (ending.is === "answered") return { is: "answered", status: ending.status, waitMs: refusal?.waitMs };
    return { is: "later", seconds: 10, message: ending.why };
  }

  async #end(payment: Payment, ending: Ending): Promise<void> {
    await payment.end(ending);
    this.#wake();
  }

  /** The life there is, or a first one. A gateway that died is started by `#restart` alone. */
  async #start(): Promise<Life | undefined> {
    if (this.#life === undefined && this.#lives === 0) await this.#open();
    return this.#life;
  }

  async #restart(): Promise<void> {
    const { clock } = this.#options.world;
    do await clock.sleep(1000 + this.#chance.below(30_000));
    while (this.isHeld());
    await this.#open();
  }

  async #open(): Promise<void> {
    if (this.#life !== undefined || this.#opening !== undefined) return;
    this.#lives += 1;
    const incarnation = this.#options.incarnation(`gateway ${this.#lives}`);
    this.#opening = incarnation;
    const { clock, ids, random } = incarnation;
    const ledger = await this.#openLedger(incarnation);
    if (incarnation.revoked) return;
    if (ledger === undefined) {
      this.die();
      return;
    }
    const rateLimits = new RateLimits({
      ...{ clock, random },
      kept: this.#usedUp,
      usageChanged: (limits) => {
        this.#usedUp = limits;
        this.#wake();
      },
    });
    const time = new TimeKeeper({
      clock,
      ask: (signal) => this.#askTime(incarnation, signal),
      newestMs: () => ledger.state.newestMs,
      // In a later turn: the line may be the one who asked.
      changed: () => queueMicrotask(() => payments.look()),
    });
    const failpoints = {
      hit: () => {
        if (this.#chance.chance(this.deaths)) this.die();
      },
    };
    const payments = new Payments({
      ...{ ledger, rateLimits, clock, ids, failpoints, time },
      hasLease: () => this.#leased,
      changed: () => {},
    });
    this.#life = { incarnation, ledger, payments, time, rateLimits, ending: new EndSignal() };
    this.#opening = undefined;
    if (this.#policies !== undefined) payments.setBudgets(this.#policies);
    void this.#keepTime(this.#life);
    this.#wake();
  }

  /** The clock is looked at now and then, as each renewal of the lease does. */
  async #keepTime({ incarnation, time, payments }: Life): Promise<void> {
    for (;;) {
      const { trust } = time.now();
      await incarnation.clock.sleep(trust.is === "confirmed" ? 20 * minute : 3 * minute);
      payments.look();
    }
  }

  /** Undefined where the disk has no room for it: there is no gateway then, until somebody makes some. */
  async #openLedger(life: Incarnation): Promise<Ledger | undefined> {
    const { disk } = this.#options;
    const { clock, ids } = life;
    const die = (): void => this.die();
    try {
      const fs = disk.mount({ life, chance: this.#chance, faults: this.diskFaults, die });
      const paths = { path: "/workspace/.bosun/ledger.jsonl", totalsPath: "/state/totals.json" };
      const options = { ...paths, fs, clock, ids, failed: die, checkpoints };
      const { state, append, close } = bound(await openLedger(options));
      this.events.opened?.(state, (await disk.text(paths.path)) ?? "");
      return {
        state,
        append: (step: Step) => {
          const written = append(step);
          this.events.line?.({ seq: state.seq, at: clock.now(), ...step });
          return written;
        },
        close,
      };
    } catch (error) {
      if (!disk.isFull) throw error;
      return undefined;
    }
  }

  async #askTime(life: Incarnation, signal: AbortSignal): Promise<void> {
    await life.clock.sleep(200, signal);
    if (!this.upstream.isReachable) throw new Error("connection refused");
    this.#life?.time.heard(this.upstream.date);
  }

  #wake(): void {
    const news = this.#hundredths();
    const isNews = news !== this.#news;
    this.#news = news;
    for (const { atOnce, inTime } of [...this.#wakers]) isNews ? atOnce() : inTime();
  }

  /** Another word whenever another hundredth of a limit is spent, or a window has turned. */
  #hundredths(): string {
    return this.policies.flatMap((budget) => PERIODS.map((period) => this.#hundredth(budget, period))).join();
  }

  #hundredth(budget: BudgetPolicy, period: Period): string {
    const limit = budget[period];
    const account = this.#window(budget, period);
    if (account === undefined || limit === undefined) return "";
    const ofCost = limit.usd === undefined ? 0 : account.spent / (limit.usd * NANO_PER_USD);
    const ofTokens = limit.tokens === undefined ? 0 : account.spentTokens / limit.tokens;
    return `${account.window} ${Math.floor(100 * Math.max(ofCost, ofTokens))}`;
  }

  #window(budget: BudgetPolicy, period: Period): WindowAccount | undefined {
    if (this.#life === undefined) return undefined;
    const { ledger, time } = this.#life;
    const { ms, wallMs } = time.now();
    const newest = ledger.state.newestWindow(budget, period);
    const { name, startMs, endMs } = windowOf(budget, period, { atMs: ms ?? wallMs, newest });
    return {
      ...{ window: name, startMs, endMs },
      ...ledger.state.sums({ selector: budget.selector, startMs, endMs }),
    };
  }
}

function isKnown<T>(answer: T | undefined): answer is T {
  return answer !== undefined;
}

/** `signal` as a gateway hears it: one that is dead hears nothing more. */
function heardBy(life: Incarnation, signal: AbortSignal): AbortSignal {
  const heard = new AbortController();
  const abort = (): void => {
    if (!life.revoked) heard.abort(signal.reason);
  };
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return heard.signal;
}

function bound(ledger: Ledger): Ledger {
  return { state: ledger.state, append: (step) => ledger.append(step), close: () => ledger.close() };
}
