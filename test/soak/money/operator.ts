/** The soak's operator: starts the gateway's real process, renews its lease, puts Budgets in force, and kills it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { callControl } from "../../../pkg/gateway/control.ts";
import type { Line } from "../../../pkg/gateway/ledger-lines.ts";
import type { BudgetAccount, BudgetPolicy, SessionGrant } from "../../../pkg/gateway/money.ts";
import { moveClock } from "./movable-clock.ts";

/** Budgets that were put in force, and the lines of the ledger just before and well after that. */
export interface InForce {
  budgets: readonly BudgetPolicy[];
  fromLine: number;
  /** From this line on they alone are in force, until the next. */
  surelyFromLine: number;
}

/** How often is looked for what is waited for, in ms. */
const LOOK_MS = 20;

/** True time and what the gateway's clocks show of it, in ms beyond this machine's. */
interface Clocks {
  trueMs: number;
  /** By how much the wall clock is wrong. */
  wrongMs: number;
  elapsedMs: number;
}

export class Operator {
  readonly #folder: string;
  readonly #upstreamUrl: string;
  readonly #sessions = new Map<string, SessionGrant>();
  readonly #log: number;
  #child: ChildProcess | undefined;
  #closed = false;
  #clocks: Clocks;
  #budgets: readonly BudgetPolicy[] = [];
  /** Each change of the Budgets, oldest first. */
  readonly inForce: InForce[] = [];
  /** How often the gateway's process ended and was started again. */
  kills = 0;
  /** Of a failpoint that the next process shall die at. */
  failpoint: string | undefined;

  private constructor(folder: string, upstreamUrl: string, startMs: number) {
    this.#folder = folder;
    this.#upstreamUrl = upstreamUrl;
    this.#clocks = { trueMs: startMs - Date.now(), wrongMs: 0, elapsedMs: 0 };
    this.#log = openSync(path.join(folder, "gateway.log"), "a");
  }

  /** @param startMs - the true time that it all begins at */
  static async start(folder: string, upstreamUrl: string, startMs: number): Promise<Operator> {
    await mkdir(folder, { recursive: true });
    const operator = new Operator(folder, upstreamUrl, startMs);
    operator.#move({});
    await operator.#startGateway();
    void operator.#renewing();
    return operator;
  }

  get ledgerPath(): string {
    return path.join(this.#folder, "ledger", "ledger.jsonl");
  }

  get #socketPath(): string {
    return path.join(this.#folder, "g.sock");
  }

  /** The whole lines on disk. */
  lines(): Line[] {
    const whole = readFileSync(this.ledgerPath, "utf8").split("\n").slice(0, -1);
    return whole.map((line) => JSON.parse(line) as Line);
  }

  get trueNow(): Date {
    return new Date(Date.now() + this.#clocks.trueMs);
  }

  /** Time goes on, and every clock with it. */
  pass(ms: number): void {
    const { trueMs, elapsedMs } = this.#clocks;
    this.#move({ trueMs: trueMs + ms, elapsedMs: elapsedMs + ms });
  }

  /** Time goes on while the machine sleeps. */
  sleepMachine(ms: number): void {
    this.#move({ trueMs: this.#clocks.trueMs + ms });
  }

  /** Somebody sets the wall clock wrong by this much; 0: right. */
  setWrong(ms: number): void {
    this.#move({ wrongMs: ms });
  }

  async setBudgets(budgets: readonly BudgetPolicy[]): Promise<void> {
    this.#budgets = budgets;
    const change: InForce = {
      budgets,
      fromLine: this.#lineCount(),
      surelyFromLine: Number.POSITIVE_INFINITY,
    };
    this.inForce.push(change);
    await this.#call("setBudgets", { budgets });
    change.surelyFromLine = await this.#lineBehindNewest();
  }

  /** The line behind all that is reserved by now, once that is on disk, or the process is gone that might write it. */
  async #lineBehindNewest(): Promise<number> {
    const { kills } = this;
    const [newest] = (await this.#call("requests", { count: 1 })) as { id: string }[];
    for (;;) {
      const isGone = this.kills > kills;
      const lines = this.lines();
      const at = lines.findIndex((line) => line.step === "reserved" && line.id === newest?.id);
      if (at >= 0) return at + 1;
      if (isGone || newest === undefined) return lines.length;
      await sleep(LOOK_MS);
    }
  }

  async admit(grant: SessionGrant): Promise<{ url: string; token: string }> {
    this.#sessions.set(grant.session, grant);
    return (await this.#call("admit", { grant })) as { url: string; token: string };
  }

  async account(budget: string): Promise<BudgetAccount | undefined> {
    return ((await this.#call("account", { budget })) ?? undefined) as BudgetAccount | undefined;
  }

  async settle(id: string, cost: number): Promise<void> {
    await this.#call("settle", { id, cost });
  }

  /** Kills the gateway at once; it is started again by itself. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.kill();
  }

  /** Waits until a gateway answers. */
  async answering(): Promise<void> {
    await this.#call("hello", {});
  }

  /** As an operator's client: where nobody listens, it is asked again once the gateway was started anew. */
  async #call(name: string, body: object): Promise<unknown> {
    for (;;) {
      try {
        return await callControl({ socketPath: this.#socketPath, name, body });
      } catch (error) {
        if (this.#closed || (error as Error).name === "ControlError") throw error;
        await sleep(LOOK_MS);
      }
    }
  }

  async #startGateway(): Promise<void> {
    const { failpoint } = this;
    this.failpoint = undefined;
    const { BOSUN_FAILPOINT: _, ...env } = process.env;
    const entry = fileURLToPath(new URL("./gateway.ts", import.meta.url));
    const child = spawn(process.execPath, [entry], {
      stdio: ["pipe", this.#log, this.#log, "pipe"],
      env: failpoint === undefined ? env : { ...env, BOSUN_FAILPOINT: failpoint },
    });
    this.#child = child;
    child.once("exit", () => {
      if (this.#closed) return;
      this.kills += 1;
      void this.#startGateway();
    });
    child.stdin?.on("error", () => {
      // Killed before it read: the next one reads.
    });
    child.stdin?.end(
      JSON.stringify({
        ledgerDirectory: path.join(this.#folder, "ledger"),
        stateDirectory: path.join(this.#folder, "state"),
        socketPath: this.#socketPath,
        upstream: { baseUrl: this.#upstreamUrl, credential: { apiKey: "the key" } },
        admitted: [],
        clockPath: this.#clockPath,
      }),
    );
    if ((await text(child.stdio[3] as Readable)) !== "ready") return;
    const body = { budgets: this.#budgets };
    await callControl({ socketPath: this.#socketPath, name: "setBudgets", body }).catch(() => {
      // Killed meanwhile: the next one gets them.
    });
  }

  get #clockPath(): string {
    return path.join(this.#folder, "clock.json");
  }

  #move(to: Partial<Clocks>): void {
    this.#clocks = { ...this.#clocks, ...to };
    const { trueMs, wrongMs, elapsedMs } = this.#clocks;
    moveClock(this.#clockPath, { wallMs: trueMs + wrongMs, elapsedMs });
  }

  async #renewing(): Promise<void> {
    while (!this.#closed) {
      const renewal = { socketPath: this.#socketPath, name: "renew", timeoutMs: 1_000 };
      await callControl(renewal).catch(() => {
        // Between two lives of the gateway.
      });
      await sleep(250);
    }
  }

  #lineCount(): number {
    return statSync(this.ledgerPath).size === 0 ? 0 : this.lines().length;
  }
}
