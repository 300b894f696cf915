/** The gateway put together: endpoint, payments, ledger and lease, without the process around it. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Clock, Ids, Random } from "../runtime/clock.ts";
import type { Failpoints } from "../runtime/failpoints.ts";
import { nodeFileSystem as fs } from "../storage/node-file-system.ts";
import { replaceFile } from "../storage/replace-file.ts";
import type { AdmittedField } from "./admission.ts";
import { windowOf } from "./grants.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import type { RequestRecord } from "./ledger-state.ts";
import {
  type BudgetAccount,
  type BudgetPolicy,
  type CostQuery,
  type MoneyStanding,
  NANO_PER_USD,
  type NanoUSD,
  type SessionGrant,
  type Spent,
  type UsageLimit,
  type WindowAccount,
  type WindowLimit,
} from "./money.ts";
import { Payments } from "./payments.ts";
import { type KeptUsageLimit, RateLimits } from "./rate-limits.ts";
import { type Endpoint, startEndpoint } from "./server.ts";
import { TimeKeeper, troubleOf } from "./time-keeper.ts";
import { Tokens } from "./tokens.ts";
import type { Trust } from "./trusted-time.ts";
import { Upstream, type UpstreamConfig } from "./upstream.ts";
import { type Period, windowAt } from "./windows.ts";

/** How long a renewal of the lease holds, in milliseconds. */
const LEASE_MS = 5_000;

export interface GatewayConfig {
  /** Absolute path; holds `ledger.jsonl`. */
  ledgerDirectory: string;
  /** Absolute path, outside of the repository: totals, sessions, the secret of the tokens, the running process. */
  stateDirectory: string;
  upstream: UpstreamConfig;
  /** What passes beyond the list. */
  admitted: readonly AdmittedField[];
}

export interface GatewayDeps {
  clock: Clock;
  random: Random;
  ids: Ids;
  failpoints: Failpoints;
  /** What nobody expected, for the log. */
  log(error: unknown): void;
  /** The ledger can't be written: nothing may go on. */
  ledgerFailed(error: unknown): void;
}

/** A gateway as its control socket serves it. */
export class Gateway {
  /** Grows by one with each change of an account. */
  changes = 0;
  readonly #deps: GatewayDeps;
  readonly #ledger: Ledger;
  readonly #tokens: Tokens;
  readonly #sessionsPath: string;
  readonly #usageLimitsPath: string;
  readonly #rateLimits: RateLimits;
  readonly #payments: Payments;
  readonly #upstream: Upstream;
  readonly #time: TimeKeeper;
  #admitted: readonly AdmittedField[];
  #endpoint: Endpoint | undefined;
  #renewedMs: number;
  #saving = Promise.resolve();
  /** What the file of sessions is known to hold. */
  #savedSessions: string | undefined;

  private constructor(
    config: GatewayConfig,
    deps: GatewayDeps,
    {
      ledger,
      secret,
      sessions,
      usageLimits,
    }: {
      ledger: Ledger;
      secret: string;
      sessions: readonly SessionGrant[];
      usageLimits: readonly KeptUsageLimit[];
    },
  ) {
    this.#deps = deps;
    this.#ledger = ledger;
    this.#tokens = new Tokens(secret, sessions);
    this.#sessionsPath = join(config.stateDirectory, "sessions.json");
    this.#admitted = config.admitted;
    this.#upstream = new Upstream(config.upstream, (date) => this.#time.heard(date));
    this.#time = new TimeKeeper({
      clock: deps.clock,
      ask: (signal) => this.#upstream.ask(signal),
      newestMs: () => ledger.state.newestMs,
      changed: (trust) => this.#onTrust(trust),
    });
    this.#renewedMs = Number.NEGATIVE_INFINITY;
    this.#usageLimitsPath = join(config.stateDirectory, "usage-limits.json");
    this.#rateLimits = new RateLimits({
      ...deps,
      kept: usageLimits,
      usageChanged: (limits) => {
        this.changes += 1;
        this.#saveUsageLimits(limits);
      },
    });
    this.#payments = new Payments({
      ...deps,
      ledger,
      time: this.#time,
      rateLimits: this.#rateLimits,
      hasLease: () => this.leaseAgeMs < LEASE_MS,
      changed: () => {
        this.changes += 1;
      },
    });
  }

  /**
   * Opens the ledger and listens.
   *
   * @param port - the one to listen on if it is free
   * @throws LedgerError when the ledger is damaged or missing: nothing may be spent
   */
  static async start(config: GatewayConfig, deps: GatewayDeps, port = 0): Promise<Gateway> {
    await fs.makeDirectory(config.stateDirectory, 0o700);
    const ledger = await openLedger({
      path: join(config.ledgerDirectory, "ledger.jsonl"),
      totalsPath: join(config.stateDirectory, "totals.json"),
      fs,
      clock: deps.clock,
      ids: deps.ids,
      failed: deps.ledgerFailed,
    });
    const secret = await readSecret(join(config.stateDirectory, "gateway-secret"));
    const sessions = await readSessions(join(config.stateDirectory, "sessions.json"));
    const usageLimits = await readUsageLimits(join(config.stateDirectory, "usage-limits.json"));
    const gateway = new Gateway(config, deps, { ledger, secret, sessions, usageLimits });
    gateway.#endpoint = await startEndpoint(
      {
        tokens: gateway.#tokens,
        payments: gateway.#payments,
        upstream: gateway.#upstream,
        clock: deps.clock,
        failpoints: deps.failpoints,
        admitted: () => gateway.#admitted,
        failed: deps.log,
      },
      port,
    );
    // Asks the upstream what time it is before anybody needs to know.
    gateway.#time.now();
    return gateway;
  }

  get port(): number {
    return this.#endpoint?.port ?? 0;
  }

  /** Milliseconds since the lease was renewed. */
  get leaseAgeMs(): number {
    return this.#deps.clock.elapsed() - this.#renewedMs;
  }

  /** Requests reserved and not ended. */
  get inFlight(): number {
    return this.#payments.inFlight;
  }

  /** Requests in line. */
  get waiting(): number {
    return this.#payments.waiting;
  }

  renew(): void {
    this.#renewedMs = this.#deps.clock.elapsed();
    this.#time.now();
    this.#payments.look();
  }

  /** @throws RangeError when a Budget's time zone is unknown; the Budgets before stay in force then */
  setBudgets(budgets: readonly BudgetPolicy[]): void {
    for (const { timeZone } of budgets) windowAt("daily", this.#deps.clock.now(), timeZone);
    this.#renewedMs = this.#deps.clock.elapsed();
    this.#payments.setBudgets(budgets);
    this.changes += 1;
  }

  setAdmitted(admitted: readonly AdmittedField[]): void {
    this.#admitted = admitted;
  }

  async admit(grant: SessionGrant): Promise<{ url: string; token: string }> {
    const token = this.#tokens.admit(grant);
    await this.#saveSessions();
    return { url: `http://127.0.0.1:${this.port}`, token };
  }

  async dismiss(session: string): Promise<void> {
    this.#tokens.dismiss(session);
    await this.#saveSessions();
  }

  /** Undefined for a Budget that is not in force. */
  account(name: string): BudgetAccount | undefined {
    const budget = this.#payments.budgets?.find((one) => one.name === name);
    if (budget === undefined) return undefined;
    const clock = troubleOf(this.#time.now());
    const { violated: all, corrections } = this.#ledger.state;
    const [violated] = all;
    return {
      budget: name,
      daily: this.#windowAccount(budget, "daily"),
      monthly: this.#windowAccount(budget, "monthly"),
      boundViolated: violated !== undefined,
      ...(violated === undefined ? {} : { violatedRequest: violated }),
      ...(corrections === 0 ? {} : { corrections }),
      ...(clock === undefined ? {} : { clock }),
    };
  }

  /** The accounts of all Budgets in force, and what each of `projects` has spent. */
  standing(projects: readonly string[]): MoneyStanding {
    const budgets = this.#payments.budgets ?? [];
    return {
      accounts: budgets.flatMap(({ name }) => this.account(name) ?? []),
      spent: projects.map((project) => this.spent({ project })),
    };
  }

  /** Undefined for a Budget that is not in force. */
  closedWindow(name: string, window: string): WindowAccount | undefined {
    const budget = this.#payments.budgets?.find((one) => one.name === name);
    if (budget === undefined) return undefined;
    const { state } = this.#ledger;
    const granted = [...state.grants()].findLast((one) => one.budget === name && one.window === window);
    const { startMs = 0, endMs = 0, selector = budget.selector } = granted ?? {};
    return { window, startMs, endMs, ...state.sums({ selector, startMs, endMs }) };
  }

  /** Another word whenever another hundredth of a limit is spent, a window has turned, a bound is violated, or a person settled one. */
  news(): string {
    const windows = (this.#payments.budgets ?? []).flatMap((budget) =>
      (["daily", "monthly"] as const).map((period) => {
        const { window, spent, spentTokens } = this.#windowAccount(budget, period);
        return `${budget.uid} ${window} ${hundredths(budget[period], spent, spentTokens)}`;
      }),
    );
    const { violated, corrections } = this.#ledger.state;
    return [...windows, ...violated, corrections].join();
  }

  /** Spent, all time, by the requests that `query` is about. */
  cost(query: CostQuery): NanoUSD {
    return this.spent(query).cost;
  }

  /** As `cost`, with the tokens. */
  spent({ project, session, agent, purpose }: CostQuery): Spent {
    const { spent, spentTokens } = this.#ledger.state.sums({ project, session, agent, purpose });
    return { cost: spent, tokens: spentTokens };
  }

  /** The usage limits in force now. */
  usageLimits(): readonly UsageLimit[] {
    return this.#rateLimits.usageLimits();
  }

  /** The newest requests, newest first. */
  requests(count: number): RequestRecord[] {
    return [...this.#ledger.state.requests()].slice(-count).reverse();
  }

  /**
   * A person says what a request cost: of one that is unsettled, or that used more than its bound.
   *
   * @throws LedgerError when there is no such request, or it has not ended; RangeError when `cost` is no amount
   */
  async settle(id: string, cost: NanoUSD): Promise<void> {
    if (!Number.isSafeInteger(cost) || cost < 0) {
      throw new RangeError(`The cost must be a whole number of nano-dollars, not ${cost}.`);
    }
    const state = this.#ledger.state.request(id)?.state;
    if (state === undefined)
      throw new Error(
        `The ledger has no request ${id}, or it was settled as it should be and is long over; nothing was changed.`,
      );
    if (state !== "settled" && state !== "unsettled")
      throw new Error(`Request ${id} is ${state}: nothing was charged for it yet, and nothing was changed.`);
    await this.#ledger.append({ step: "personSettled", id, cost });
    this.#payments.look();
    this.changes += 1;
  }

  /** Cuts what runs, settles it by the rules, and closes. */
  async stop(): Promise<void> {
    this.#time.close();
    this.#payments.close();
    await this.#endpoint?.stop();
    await this.#payments.ended();
    this.#upstream.close();
    await this.#saving;
    await this.#ledger.close();
  }

  #windowAccount(budget: BudgetPolicy, period: Period): WindowAccount {
    const { ms, wallMs } = this.#time.now();
    const { state } = this.#ledger;
    const newest = state.newestWindow(budget, period);
    const { name, startMs, endMs } = windowOf(budget, period, { atMs: ms ?? wallMs, newest });
    return { window: name, startMs, endMs, ...state.sums({ selector: budget.selector, startMs, endMs }) };
  }

  #onTrust(trust: Trust): void {
    if (trust.is === "unconfirmed") this.#deps.log(new Error(trust.message));
    this.changes += 1;
    // In a later turn: the line may be the one who asked.
    queueMicrotask(() => this.#payments.look());
  }

  /** Sessions outlive this process: their tokens hold again after it is restarted. Each is admitted anew every few seconds, as it was. */
  #saveSessions(): Promise<void> {
    const saved = this.#saving.then(async () => {
      const text = JSON.stringify(this.#tokens.grants());
      if (text === this.#savedSessions) return;
      this.#savedSessions = undefined;
      await replaceFile(fs, this.#sessionsPath, [Buffer.from(text)], 0o600);
      this.#savedSessions = text;
    });
    // Told to who asked; what is saved after it is another matter.
    this.#saving = saved.catch(() => {});
    return saved;
  }

  /** A usage limit holds over a restart: one request after each would be enough to be refused for longer. */
  #saveUsageLimits(limits: readonly KeptUsageLimit[]): void {
    this.#saving = this.#saving
      .then(async () => {
        await replaceFile(fs, this.#usageLimitsPath, [Buffer.from(JSON.stringify(limits))], 0o600);
      })
      .catch(this.#deps.log);
  }
}

/** Of a limit, of money or tokens, whichever is more; 0 without one. */
function hundredths(limit: WindowLimit | undefined, spent: NanoUSD, spentTokens: number): number {
  const money = limit?.usd === undefined ? 0 : spent / (limit.usd * NANO_PER_USD);
  const tokens = limit?.tokens === undefined ? 0 : spentTokens / limit.tokens;
  return Math.floor(100 * Math.max(money, tokens));
}

/** Usage limits that an earlier process has met; one that is lost costs a request. */
async function readUsageLimits(path: string): Promise<KeptUsageLimit[]> {
  try {
    return JSON.parse((await fs.read(path))?.toString("utf8") ?? "[]") as KeptUsageLimit[];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** One that a crash left half written would be easy to guess: then there is a new one, and tokens are given anew. */
async function readSecret(path: string): Promise<string> {
  const known = (await fs.read(path))?.toString("utf8") ?? "";
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  const secret = randomBytes(32).toString("hex");
  await replaceFile(fs, path, [Buffer.from(secret)], 0o600);
  return secret;
}

async function readSessions(path: string): Promise<SessionGrant[]> {
  try {
    return JSON.parse((await fs.read(path))?.toString("utf8") ?? "[]") as SessionGrant[];
  } catch (error) {
    // Whoever is missing here is admitted again by the operator.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
