/** The gateway as the operator holds it: a process started or adopted, and `Money` over its control socket. */
import type { Agent } from "node:http";
import type { Clock } from "../runtime/clock.ts";
import { TerminalError, TransientError } from "../runtime/errors.ts";
import { throttle } from "../runtime/throttle.ts";
import { http } from "../system/http.ts";
import { type LatchWatch, watchLatch } from "../system/latch-watch.ts";
import { isAlive, type ProcessIdentity } from "../system/process-identity.ts";
import { systemClock } from "../system/system.ts";
import type { AdmittedField } from "./admission.ts";
import { ControlError, callControl, type Hello } from "./control.ts";
import { endMarked } from "./end-marked.ts";
import { killProcess } from "./end-process.ts";
import type { RequestRecord } from "./ledger-state.ts";
import type {
  BudgetAccount,
  BudgetPolicy,
  CostQuery,
  Money,
  MoneyStanding,
  NanoUSD,
  SessionGrant,
  Spent,
  UsageLimit,
  WindowAccount,
} from "./money.ts";
import { fingerprintOf, type ProcessConfig } from "./process.ts";
import { readProcessRecord } from "./process-record.ts";
import { Restarts } from "./restarts.ts";
import { type PreparedGateway, startProcess } from "./start-process.ts";

/** How often the lease is renewed, in milliseconds; it holds for five times as long. */
const RENEW_EVERY_MS = 1_000;
/** How long a gateway may take to stop by itself, in milliseconds. */
const STOP_MS = 10_000;

export interface GatewayHandle extends Money {
  /** Of the gateway's process, for who has to stop it without asking. */
  readonly pid: number;
  /** A person says what request `id` cost. @throws ControlError when there is no such ended request */
  settle(id: string, cost: NanoUSD): Promise<void>;
  /** The newest requests, newest first. Undefined: unknown. */
  requests(count: number): Promise<readonly RequestRecord[] | undefined>;
  /** What the workspace admits beyond the list, from now on. */
  setAdmitted(admitted: readonly AdmittedField[]): Promise<void>;
  /** Lets go: the lease is renewed no more. The process drains, and waits a minute for another operator. */
  close(): Promise<void>;
  /** Ends the process: requests in flight are cut and settled by the rules. */
  stop(): Promise<void>;
}

export interface GatewayOptions {
  clock?: Clock;
  /** While it is engaged no gateway runs. One of its own on the configuration's `stopLatch`, when left out. */
  latch?: LatchWatch;
  /** Told once a gateway that died, or hung and was ended, has another in its place; in a sentence for people. */
  onReplaced?(message: string): void;
  /** Taken for the first start, if there is one; closed else. */
  prepared?: PreparedGateway | undefined;
}

/**
 * Starts the gateway of `config`, or adopts the one that runs. A gateway with another upstream or credential is
 * stopped first. When the process dies it is started again, at once or, where it keeps ending, after a wait that grows
 * to half a minute, with Budgets and sessions as they were. While the
 * emergency stop is in force none is started and one that lives is killed, whoever started it.
 *
 * @throws TerminalError LedgerUnusable when the ledger is damaged or missing; TransientError when the process can't be
 *   started
 */
export async function openGateway(
  config: ProcessConfig,
  { clock = systemClock, prepared, ...options }: GatewayOptions = {},
): Promise<GatewayHandle> {
  const client = new MoneyClient(config, { ...options, clock, prepared });
  // One that hangs keeps who wants to reach it waiting for many seconds, and must not keep a stop waiting.
  client.heedStops();
  try {
    for (let tries = 1; !client.isStopped; tries += 1) {
      try {
        await client.reach();
        break;
      } catch (error) {
        // An emergency stop ends a gateway that begins, too, and may be over again by now.
        if (error instanceof TerminalError || (tries === 2 && !client.isStopped)) throw error;
      }
    }
  } catch (error) {
    await client.close();
    throw error;
  } finally {
    // One runs already, or none may.
    prepared?.close();
  }
  return client;
}

class MoneyClient implements GatewayHandle {
  readonly #config: ProcessConfig;
  readonly #clock: Clock;
  readonly #latch: LatchWatch | undefined;
  readonly #prepared: PreparedGateway | undefined;
  readonly #onReplaced: (message: string) => void;
  readonly #closing = new AbortController();
  #connections = keptConnections();
  readonly #wakes = new Set<{ atOnce: () => void; inTime: () => void }>();
  #hello: Hello | undefined;
  #reaching: Promise<void> | undefined;
  #budgets: readonly BudgetPolicy[] | undefined;
  #admitted: readonly AdmittedField[];
  /** Of which process, and how many it had counted. */
  #changes = "";
  #news = "";
  #hasStarted = false;
  /** Since the gateway was reached last an emergency stop was, or may have been, in force, which ends it. */
  #wasStopped = false;
  /** What became of the gateway before, until another is in its place: the first tries to start one may fail. */
  #lost: string | undefined;
  readonly #restarts = new Restarts();
  /** Why the last question had no answer. */
  #unknown: string | undefined;
  /** What the last start failed with. */
  #startError: unknown;

  constructor(
    config: ProcessConfig,
    { clock, latch, prepared, onReplaced = () => {} }: GatewayOptions & { clock: Clock },
  ) {
    this.#config = config;
    this.#prepared = prepared;
    this.#onReplaced = onReplaced;
    this.#clock = clock;
    const { stopLatch } = config;
    this.#latch =
      latch ?? (stopLatch === undefined ? undefined : watchLatch(stopLatch, clock, this.#closing.signal));
    this.#admitted = config.admitted;
  }

  get pid(): number {
    return this.#hello?.pid ?? 0;
  }

  /** Whether the emergency stop is in force: then no gateway runs. */
  get isStopped(): boolean {
    return this.#latch?.isEngaged() ?? false;
  }

  async setBudgets(budgets: readonly BudgetPolicy[]): Promise<void> {
    const isFirst = this.#budgets === undefined;
    this.#budgets = budgets;
    try {
      await this.#call("setBudgets", { budgets });
    } finally {
      // A gateway that can't be asked now is asked again by each renewal.
      if (isFirst) void this.#renewing();
    }
  }

  async admit(grant: SessionGrant): Promise<{ url: string; token: string }> {
    return (await this.#call("admit", { grant })) as { url: string; token: string };
  }

  async dismiss(session: string): Promise<void> {
    await this.#call("dismiss", { session });
  }

  async account(budget: string): Promise<BudgetAccount | undefined> {
    return (await this.#ask("account", { budget })) as BudgetAccount | undefined;
  }

  async standing(projects: readonly string[]): Promise<MoneyStanding | undefined> {
    return (await this.#ask("standing", { projects })) as MoneyStanding | undefined;
  }

  async cost(query: CostQuery): Promise<NanoUSD | undefined> {
    return ((await this.#ask("cost", { query })) as { cost: NanoUSD } | undefined)?.cost;
  }

  async closedWindow(budget: string, window: string): Promise<WindowAccount | undefined> {
    return (await this.#ask("closedWindow", { budget, window })) as WindowAccount | undefined;
  }

  async spent(query: CostQuery): Promise<Spent | undefined> {
    return (await this.#ask("spent", { query })) as Spent | undefined;
  }

  whyUnknown(): string | undefined {
    return this.#unknown;
  }

  async usageLimits(): Promise<readonly UsageLimit[] | undefined> {
    return (await this.#ask("usageLimits", {})) as UsageLimit[] | undefined;
  }

  async requests(count: number): Promise<readonly RequestRecord[] | undefined> {
    return (await this.#ask("requests", { count })) as RequestRecord[] | undefined;
  }

  async settle(id: string, cost: NanoUSD): Promise<void> {
    await this.#call("settle", { id, cost });
  }

  async setAdmitted(admitted: readonly AdmittedField[]): Promise<void> {
    this.#admitted = admitted;
    await this.#call("setAdmitted", { admitted });
  }

  subscribe(wake: () => void, { everyMs, signal }: { everyMs: () => number; signal: AbortSignal }): void {
    if (signal.aborted) return;
    const now = throttle(wake, { clock: this.#clock, ms: everyMs, signal });
    const subscriber = { atOnce: wake, inTime: now };
    this.#wakes.add(subscriber);
    signal.addEventListener("abort", () => this.#wakes.delete(subscriber), { once: true });
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("The gateway's client is closed."));
    await this.#reaching?.catch(() => {});
    this.#connections.destroy();
  }

  async stop(): Promise<void> {
    await this.close();
    const { socketPath } = this.#config;
    if (this.#hello !== undefined)
      await stopProcess(this.#hello, { socketPath, term: this.#term, clock: this.#clock });
  }

  /** Sees to it that nothing is spent while the emergency stop is in force, until closed. */
  heedStops(): void {
    let isEnding = false;
    const heed = async (): Promise<void> => {
      if (isEnding || !this.isStopped) return;
      isEnding = true;
      await this.#end().catch(() => {
        // Somebody else killed it at the same moment, or it can't be seen: the next look tries again.
      });
      isEnding = false;
    };
    void heed();
    this.#latch?.follow(({ isEngaged, hasChanged }) => {
      if (isEngaged || hasChanged) this.#wasStopped = true;
      if (isEngaged) void heed();
    }, this.#closing.signal);
  }

  /**
   * Kills the gateway of this workspace if one lives. What was in flight is settled by the rules at the next start.
   *
   * A gateway heeds the latch too: it suspends what the stop has to end, then kills it. Killed in between it would leave
   * behind what is suspended, and can look at no latch. So what it had begun is carried out here.
   */
  async #end(): Promise<void> {
    const known = this.#hello;
    // Before anything is awaited: a gateway that is reached meanwhile must not be forgotten.
    this.#hello = undefined;
    const gateway = known ?? (await readProcessRecord(this.#config.stateDirectory));
    if (gateway === undefined || !(await isAlive(gateway))) return;
    await killProcess(gateway, this.#clock);
    const { stopLatch } = this.#config;
    if (stopLatch !== undefined) await endMarked(stopLatch, this.#clock, () => this.isStopped);
  }

  /** Makes sure that a gateway of this configuration runs; calls at the same time share one attempt. */
  reach(): Promise<void> {
    this.#reaching ??= this.#reachNow().finally(() => {
      this.#reaching = undefined;
    });
    return this.#reaching;
  }

  async #reachNow(): Promise<void> {
    this.#refuseStopped();
    // Those that there are lead to whoever did not answer, or is no more.
    this.#connections = keptConnections();
    const found = await hello(this.#config.socketPath);
    const isOurs = found?.fingerprint === fingerprintOf(this.#config);
    if (found !== undefined && found.term > this.#term)
      throw new TerminalError(
        "TakenOver",
        "Another operator has taken over the gateway; this one is none any more.",
      );
    if (found !== undefined && !isOurs)
      await stopProcess(found, { socketPath: this.#config.socketPath, term: this.#term, clock: this.#clock });
    if (found === undefined) {
      const lost = await this.#lostOne();
      this.#lost ??= lost;
    }
    if (isOurs) {
      this.#hello = found;
    } else {
      await this.#start();
      this.#hello = await hello(this.#config.socketPath);
    }
    this.#hasStarted = true;
    this.#wasStopped = false;
    if (this.#lost !== undefined)
      this.#onReplaced(`${this.#lost} Another is in its place; what was in flight is asked again.`);
    this.#lost = undefined;
    await this.#steer("setAdmitted", { admitted: this.#admitted });
    if (this.#budgets !== undefined) await this.#steer("setBudgets", { budgets: this.#budgets });
  }

  /** @throws what the last start failed with, while it is too soon for another */
  async #start(): Promise<void> {
    const waitMs = this.#restarts.waitMs(this.#clock.elapsed());
    if (waitMs > 0)
      throw this.#startError ?? new TransientError("GatewayNotStarted", "The gateway keeps ending.");
    const refuseStopped = () => this.#refuseStopped();
    this.#startError = undefined;
    try {
      await startProcess(this.#config, {
        isRestart: this.#hasStarted,
        refuseStopped,
        prepared: this.#prepared,
      });
    } catch (error) {
      this.#startError = error;
      throw error;
    } finally {
      this.#restarts.tried(this.#clock.elapsed(), this.#startError);
    }
  }

  #refuseStopped(): void {
    if (!this.isStopped) return;
    throw new TransientError(
      "Stopped",
      "The emergency stop is in force; no gateway runs. `bosun resume` ends it.",
    );
  }

  /**
   * Ends a gateway that lives but can't be asked: it would be a second hand on the ledger.
   *
   * @returns what became of the one before, a sentence; undefined where it ended as it should, or there was none
   */
  async #lostOne(): Promise<string | undefined> {
    const record = await readProcessRecord(this.#config.stateDirectory);
    if (record === undefined) return undefined;
    const { socketPath } = record;
    const ended = await stopProcess(record, { socketPath, term: this.#term, clock: this.#clock });
    if (ended === "killed") return `The gateway (process ${record.pid}) gave no answer, and was ended.`;
    const died = this.#hasStarted && !this.#wasStopped;
    return died ? `The gateway (process ${record.pid}) ended by itself.` : undefined;
  }

  /** Renews the lease as long as this operator lives, and wakes subscribers when accounts changed. */
  async #renewing(): Promise<void> {
    for (let wasUnknown = false; !this.#closing.signal.aborted; ) {
      const answer = (await this.#ask("renew", {})) as { changes: string; news: string } | undefined;
      const isUnknown = this.#unknown !== undefined;
      if (isUnknown !== wasUnknown) for (const { atOnce } of [...this.#wakes]) atOnce();
      wasUnknown = isUnknown;
      if (answer !== undefined && answer.changes !== this.#changes) {
        const isNews = answer.news !== this.#news;
        this.#changes = answer.changes;
        this.#news = answer.news;
        for (const { atOnce, inTime } of [...this.#wakes]) isNews ? atOnce() : inTime();
      }
      await this.#clock.sleep(RENEW_EVERY_MS, this.#closing.signal).catch(() => {
        // Closed: the loop sees it.
      });
    }
  }

  /** Asks the gateway as the operator of this term. */
  #steer(name: string, body: object): Promise<unknown> {
    const { socketPath } = this.#config;
    return callControl({
      ...{ socketPath, name, body: { ...body, term: this.#term } },
      connections: this.#connections,
    });
  }

  get #term(): number {
    return this.#config.term ?? 0;
  }

  /** A question that has no answer is answered by undefined: unknown. */
  async #ask(name: string, body: object): Promise<unknown> {
    try {
      const answer = (await this.#call(name, body)) ?? undefined;
      this.#unknown = undefined;
      return answer;
    } catch (error) {
      // Whatever keeps the gateway from answering, the answer is unknown. That it was ended by a stop is no trouble.
      const isTrouble = !(error instanceof ControlError || this.isStopped || this.#closing.signal.aborted);
      this.#unknown = isTrouble ? (error as Error).message : undefined;
      return undefined;
    }
  }

  /** Every call can be repeated: where nobody listens the gateway is started again first. */
  async #call(name: string, body: object): Promise<unknown> {
    this.#closing.signal.throwIfAborted();
    try {
      // One that answers is not enough: who stops it has to know which process it is.
      if (this.#hello !== undefined) return await this.#steer(name, body);
    } catch (error) {
      if (error instanceof ControlError) throw error;
      // Closed while it was asked: whoever comes after has a gateway of its own to see to.
      this.#closing.signal.throwIfAborted();
    }
    try {
      await this.reach();
      return await this.#steer(name, body);
    } catch (cause) {
      if (cause instanceof TerminalError || cause instanceof ControlError) throw cause;
      if (cause instanceof TransientError && cause.reason === "Stopped") throw cause;
      throw new TransientError(
        "GatewayUnreachable",
        `The gateway can't be asked: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
}

/** One that the gateway has closed meanwhile fails the call, which is repeated. Idle ones keep no process alive. */
function keptConnections(): Agent {
  return new http.Agent({ keepAlive: true });
}

async function hello(socketPath: string): Promise<Hello | undefined> {
  try {
    return (await callControl({ socketPath, name: "hello" })) as Hello;
  } catch {
    // Nobody listens, or nobody answers: what lives there is found by its record.
    return undefined;
  }
}

/**
 * Asks the process to stop; kills it when it does not. Only ever the process that `identity` names.
 *
 * @returns whether it had to be killed
 * @throws ControlError when it refuses: it is a later operator's
 */
async function stopProcess(
  identity: ProcessIdentity,
  { socketPath, term, clock }: { socketPath: string; term: number; clock: Clock },
): Promise<"ended" | "killed"> {
  await callControl({ socketPath, name: "stop", body: { term } }).catch((error: unknown) => {
    if (error instanceof ControlError) throw error;
    // It does not listen: the kill below reaches it.
  });
  const untilMs = clock.elapsed() + STOP_MS;
  while (await isAlive(identity)) {
    if (clock.elapsed() >= untilMs) {
      await killProcess(identity, clock);
      return "killed";
    }
    await clock.sleep(5);
  }
  return "ended";
}
