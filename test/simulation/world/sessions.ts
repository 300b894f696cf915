/** Session hosts in the simulated world: they work, spend, commit and end by themselves, whatever becomes of the operator. */
import { TransientError } from "../../../pkg/runtime/errors.ts";
import { LATE_MS, LOST_MS, type Pulse } from "../../../pkg/session/pulse.ts";
import type {
  Judgement,
  Outcome,
  RunningSession,
  SessionObservation,
  SessionReport,
  SessionSpec,
  Sessions,
} from "../../../pkg/session/sessions.ts";
import { STANDARDS } from "../../../pkg/session/sessions.ts";
import type { Prng } from "../kernel/prng.ts";
import type { Incarnation } from "../kernel/scheduler.ts";
import { type Conduct, conductOf, type Temper } from "./conduct.ts";
import { share } from "./hash.ts";
import type { SimLatch } from "./latch.ts";
import type { SimMoney } from "./money.ts";
import type { SimCheckout, SimRepository } from "./repository.ts";
import { work } from "./work.ts";

const minute = 60_000;
/** Of one turn, before a host gives up, as the real runner does. */
const triesMax = 12;
/** From so many refusals in a row on it says so. */
const refusalsTold = 3;

export interface SimSessionsOptions {
  life: Incarnation;
  repository: SimRepository;
  money: SimMoney;
  latch: SimLatch;
  /** Chance of its own for a use named so. */
  prng: (stream: string) => Prng;
  /** How runs go; may be changed while a run goes on. */
  temper: Temper;
}

/** A living host. */
export interface Host {
  spec: SessionSpec;
  pid: number;
  startedAtMs: number;
  conduct: Conduct;
}

interface LivingHost extends Host {
  startedElapsedMs: number;
  /** Another one for each start. */
  name: string;
  pauseAsked: boolean;
  /** By the clock that only grows: since then nothing of it moves. */
  hungMs?: number;
  /** By the same clock: since then it gets nothing but refusals, which is no life that counts. */
  refusedMs?: number | undefined;
  end: AbortController;
}

interface Session {
  spec: SessionSpec;
  report: SessionReport;
  host: LivingHost | undefined;
  attempts: number;
  /** Its last host ended while no operator lived. */
  unwitnessed?: true;
  /** Its last host was ended by an order. */
  ordered?: true;
}

/** One for all hosts: making a DOMException each time costs more than the end. */
const ended = new Error("The host has ended");

export interface SessionEvents {
  started?: (host: Host) => void;
  /** A host could not be started. */
  refused?: (spec: SessionSpec) => void;
}

export class SimSessions implements Sessions {
  events: SessionEvents = {};
  /** Every judgement that a reviewer's session has made, by commit. */
  readonly judged = new Map<string, Judgement["verdict"]>();
  readonly #options: SimSessionsOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #wakers = new Set<(agent: string) => void>();
  #pids = 1000;

  constructor(options: SimSessionsOptions) {
    this.#options = options;
  }

  /** A simulated host is there at once. */
  spareId(): undefined {
    return undefined;
  }

  expect(): void {}

  async find(id: string): Promise<SessionObservation> {
    const session = this.#sessions.get(id);
    if (session === undefined) return { is: "absent", report: undefined };
    const { host } = session;
    const { report, unwitnessed, ordered } = session;
    if (host === undefined)
      return { is: "absent", report, ...(unwitnessed && { unwitnessed }), ...(ordered && { ordered }) };
    const { pid, startedAtMs } = host;
    return { is: "present", report: this.#now(session), pid, startedAtMs, pulse: this.#pulse(host) };
  }

  async start(spec: SessionSpec): Promise<SessionObservation> {
    await this.#start(spec);
    return this.find(spec.id);
  }

  async #start(spec: SessionSpec): Promise<void> {
    const { latch, money, life } = this.#options;
    if (latch.isEngaged)
      throw new TransientError("Stopped", "The emergency stop is in force; no session is started.");
    const known = this.#sessions.get(spec.id);
    if (known?.host !== undefined) return;
    const sameRun = known?.report.run === spec.run;
    const outcome = sameRun ? known?.report.outcome : undefined;
    if (outcome !== undefined && outcome.kind !== "Paused" && outcome.kind !== "Failed") return;
    const { id, run, agent, pool, project, purpose, maxOutputTokens, labels } = spec;
    await money.admit({
      session: id,
      run,
      agent,
      pool,
      project,
      purpose,
      maxOutputTokens,
      labels: { ...labels },
    });
    const attempts = (known?.attempts ?? 0) + 1;
    const now = life.clock.now();
    const report: SessionReport = {
      run: spec.run,
      turns: sameRun ? (known?.report.turns ?? 0) : 0,
      liveSeconds: known?.report.liveSeconds ?? 0,
      ...(known?.report.outcome === undefined || known.report.refusal === undefined
        ? {}
        : { refusal: known.report.refusal }),
      lastActivityMs: now,
      heartbeatMs: now,
      tasksDone: known?.report.tasksDone ?? [],
      busy: false,
    };
    const conduct = conductOf(
      spec,
      this.#options.prng(`conduct of ${id} ${run} ${attempts}`),
      this.#options.temper,
    );
    if (conduct.ends === "NeverStarts") {
      this.events.refused?.(spec);
      throw new TransientError("HostNotStarted", `The host of session ${id} did not start.`);
    }
    this.#pids += 1;
    const host: LivingHost = {
      spec,
      pid: this.#pids,
      startedAtMs: now,
      startedElapsedMs: life.clock.elapsed(),
      conduct,
      name: `${id} ${attempts}`,
      pauseAsked: false,
      end: new AbortController(),
    };
    const session: Session = { spec, report, host, attempts };
    this.#sessions.set(id, session);
    this.events.started?.(host);
    this.#live(session, host).catch((error: unknown) =>
      this.#options.life.defer(() => {
        throw error;
      }),
    );
  }

  async stop(id: string, how: "AfterTurn" | "Now" | "Lost"): Promise<void> {
    const session = this.#sessions.get(id);
    if (session?.host === undefined) return;
    if (how === "AfterTurn") {
      session.host.pauseAsked = true;
      return;
    }
    if (how === "Now") session.ordered = true;
    this.#end(session, undefined);
  }

  async running(): Promise<readonly RunningSession[]> {
    return this.hosts().map(({ spec, pid }) => ({ id: spec.id, agent: spec.agent, pid }));
  }

  subscribe(wake: (agent: string) => void, signal: AbortSignal): void {
    this.#wakers.add(wake);
    signal.addEventListener("abort", () => this.#wakers.delete(wake), { once: true });
  }

  // What is only in the simulated world

  hosts(): readonly Host[] {
    return [...this.#sessions.values()].flatMap(({ host }) => (host === undefined ? [] : [host]));
  }

  /** A host dies without a word. */
  kill(id: string): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#end(session, undefined);
  }

  /** Every run that goes on hands its work in at its next turn. */
  finishSoon(): void {
    for (const { conduct } of this.hosts()) conduct.isOver = () => true;
  }

  /** The emergency stop, with or without an operator, or the end of the machine. */
  killAll(): void {
    for (const session of this.#sessions.values()) {
      if (session.host === undefined) continue;
      if (this.#options.latch.isEngaged) session.ordered = true;
      this.#end(session, undefined);
    }
  }

  /** The operator died: who subscribed hears nothing more. */
  crash(): void {
    this.#wakers.clear();
  }

  /** The report with what goes on between turns. */
  #now({ report, host }: Session): SessionReport {
    if (host === undefined) return report;
    const { clock } = this.#options.life;
    const live = ((host.refusedMs ?? clock.elapsed()) - host.startedElapsedMs) / 1000;
    const busy = !host.conduct.silentNow;
    return { ...report, liveSeconds: report.liveSeconds + live, heartbeatMs: clock.now(), busy };
  }

  /** A host that hangs lives on without a heartbeat. */
  #pulse({ hungMs }: LivingHost): Pulse {
    const silentMs = hungMs === undefined ? 0 : this.#options.life.clock.elapsed() - hungMs;
    if (silentMs > LOST_MS) return "Lost";
    return silentMs > LATE_MS ? "Late" : "Regular";
  }

  async #live(session: Session, host: LivingHost): Promise<void> {
    const { life, repository, temper } = this.#options;
    const { spec, conduct, end } = host;
    const { signal } = end;
    const sleep = async (ms: number): Promise<boolean> => {
      try {
        await life.clock.sleep(ms, signal);
        return true;
      } catch {
        // Killed while it slept.
        return false;
      }
    };
    for (let turn = 1; ; turn += 1) {
      const paid = await this.#paid(session, host);
      if (paid === "killed") return;
      if (paid !== undefined) {
        this.#end(session, paid);
        return;
      }

      const checkout = repository.checkoutAt(spec.checkout);
      const last = conduct.isOver(turn);
      const outcome = last ? this.#outcome(session, host, checkout) : undefined;
      if (!last && checkout !== undefined && spec.purpose === "execute" && repository.canWrite())
        work.turn(checkout, { repository, chance: conduct.chance, temper });
      const tasksDone = session.report.tasksDone.length;
      session.report = {
        ...session.report,
        turns: session.report.turns + 1,
        lastActivityMs: life.clock.now(),
        ...tasksAfter(spec, last ? 1 : conduct.share(turn)),
      };
      if (last && conduct.ends === "Crash") {
        this.#end(session, undefined);
        return;
      }
      if (outcome !== undefined) {
        this.#end(session, outcome);
        return;
      }
      if (host.pauseAsked) {
        this.#end(session, { kind: "Paused", reason: "Requested", message: "It was asked to." });
        return;
      }
      if (session.report.tasksDone.length !== tasksDone) this.#wake(spec.agent);
      if (last && conduct.ends === "Hung") {
        host.hungMs = life.clock.elapsed();
        for (const silentMs of [LATE_MS, LOST_MS - LATE_MS]) {
          if (!(await sleep(silentMs + 1))) return;
          this.#wake(spec.agent);
        }
        await sleep(1000 * 24 * 60 * minute);
        return;
      }
      if (last) {
        // Silent: it lives, and nothing more comes of it.
        conduct.silentNow = true;
        await sleep(1000 * 24 * 60 * minute);
        return;
      }
    }
  }

  /**
   * Asks the model for a turn, again and again as an SDK does.
   *
   * @returns undefined once it has answered; else how the run ends
   */
  async #paid(session: Session, host: LivingHost): Promise<Outcome | "killed" | undefined> {
    const { life, money } = this.#options;
    const { spec, conduct, end, name } = host;
    let message = "";
    // What the last host was refused with holds until there is an answer.
    if (session.report.refusal !== undefined) host.refusedMs = life.clock.elapsed();
    for (let tries = 0; tries < triesMax; tries += 1) {
      try {
        const answer = await money.ask({
          session: spec.id,
          model: spec.model,
          turn: session.report.turns + 1,
          host: name,
          request: conduct.request(),
          takesMs: conduct.turnMs(),
          signal: end.signal,
        });
        if (end.signal.aborted) return "killed";
        if (answer.is === "refused") {
          const { is: _, ...why } = answer;
          return { kind: "Paused", ...why };
        }
        if (answer.is === "answered" && answer.status === 200) {
          this.#accepted(session, host);
          return undefined;
        }
        const waitMs = answer.is === "later" ? 1000 * answer.seconds : (answer.waitMs ?? 10_000);
        message = answer.is === "later" ? answer.message : `The upstream answered ${answer.status}.`;
        if (tries + 1 >= refusalsTold) this.#refused(session, host, message);
        await life.clock.sleep(waitMs, end.signal);
      } catch (error) {
        // Killed while it waited.
        if (end.signal.aborted) return "killed";
        throw error;
      }
    }
    return { kind: "Paused", reason: "UpstreamUnavailable", message };
  }

  /** Tells of refusals in a row, which hold over hosts. */
  #refused(session: Session, host: LivingHost, message: string): void {
    const isNews = session.report.refusal !== message;
    host.refusedMs ??= this.#options.life.clock.elapsed();
    session.report = { ...session.report, refusal: message };
    if (isNews) this.#wake(host.spec.agent);
  }

  #accepted(session: Session, host: LivingHost): void {
    if (host.refusedMs !== undefined)
      host.startedElapsedMs += this.#options.life.clock.elapsed() - host.refusedMs;
    host.refusedMs = undefined;
    if (session.report.refusal === undefined) return;
    const { refusal: _, ...report } = session.report;
    session.report = report;
    this.#wake(host.spec.agent);
  }

  /** How the run ends; undefined for one that crashes, hangs or falls silent. */
  #outcome(session: Session, host: LivingHost, checkout: SimCheckout | undefined): Outcome | undefined {
    const { spec, conduct } = host;
    const { repository, temper } = this.#options;
    if (conduct.ends === "Failed")
      return { kind: "Failed", reason: "TurnLimit", message: `It took ${session.report.turns} turns.` };
    if (conduct.ends !== "Done" || checkout === undefined) return undefined;
    if (spec.purpose === "review") {
      const judgement = judge(spec, repository.objects.get(checkout.head).treeId, temper);
      this.judged.set(checkout.head, judgement.verdict);
      return { kind: "Judged", judgement };
    }
    if (!repository.canWrite())
      return { kind: "Failed", reason: "TurnLimit", message: "It could not commit: the disk refused." };
    work.finish(checkout, {
      repository,
      chance: conduct.chance,
      temper,
      message: spec.message,
      run: spec.run,
    });
    const evidence = spec.criteria.map(({ id }) => ({ criterion: id, evidence: "It is tested." }));
    return { kind: "Finished", summary: "The work is complete.", evidence };
  }

  #end(session: Session, outcome: Outcome | undefined): void {
    const { host } = session;
    if (host === undefined) return;
    session.report = {
      ...this.#now(session),
      busy: false,
      ...(outcome === undefined ? {} : { outcome }),
    };
    session.host = undefined;
    if (this.#wakers.size === 0) session.unwitnessed = true;
    host.end.abort(ended);
    this.#wake(session.spec.agent);
  }

  #wake(agent: string): void {
    for (const wake of [...this.#wakers]) wake(agent);
  }
}

/** The content decides, so that another reviewer says the same. */
function judge(spec: SessionSpec, treeId: string, temper: Temper): Judgement {
  const approved = share(`verdict ${treeId}`) < temper.approves;
  const failing = approved ? undefined : (spec.criteria[0]?.id ?? "CriteriaMet");
  return {
    verdict: approved ? "Approved" : "ChangesRequested",
    criteria: spec.criteria.map(({ id }) => ({ id, met: id !== failing, evidence: "Seen in the diff." })),
    standards: STANDARDS.map((name) => ({
      name,
      met: approved || name !== "CriteriaMet",
      evidence: "Seen.",
    })),
    findings: [],
    feedback: approved ? "" : "One criterion is not met.",
  };
}

function tasksAfter(spec: SessionSpec, done: number): Pick<SessionReport, "tasksDone" | "currentTask"> {
  const ids = spec.tasks.map(({ id }) => id);
  const count = Math.floor(done * ids.length);
  const currentTask = ids[count];
  return { tasksDone: ids.slice(0, count), ...(currentTask === undefined ? {} : { currentTask }) };
}
