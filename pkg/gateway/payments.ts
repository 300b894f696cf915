/** A request's way through the ledger: reserved before it is sent, settled after it ended. Money is reserved here. */
import type { Clock, Ids } from "../runtime/clock.ts";
import type { Failpoints } from "../runtime/failpoints.ts";
import { type Bound, boundsOf } from "./bound.ts";
import { endingSteps } from "./ending.ts";
import { selects } from "./grants.ts";
import type { Ledger } from "./ledger.ts";
import type { AskedTurn } from "./ledger-lines.ts";
import { type MessagesRequest, withoutCaching } from "./messages-request.ts";
import type { BudgetPolicy, SessionGrant, UsageLimit } from "./money.ts";
import type { Price } from "./prices.ts";
import { Line, type Turn, WaitTimeoutError } from "./queue.ts";
import type { RateLimits } from "./rate-limits.ts";
import { type Plan, plan, reservationSteps } from "./reservation.ts";
import type { Ending } from "./settlement.ts";
import type { Moment } from "./time-keeper.ts";
import type { Refusal } from "./usage-limit.ts";

/** How long a request may wait in line, in milliseconds. */
const LINE_WAIT_MS = 300_000;

export type Reserving =
  | { is: "reserved"; payment: Payment }
  | Extract<Plan, { is: "refused" | "unconfirmed" }>
  /** The account has used up what its plan allows. */
  | { is: "used up"; message: string; retryAfterSeconds: number }
  /** It waited in line for as long as it may, or would have to. */
  | { is: "waited"; message: string; retryAfterSeconds: number };

/** One reserved request. Every payment ends by `end`, once. */
export interface Payment {
  id: string;
  /** What to send: as was asked, with the `max_tokens` and the caching that are paid for. */
  request: MessagesRequest;
  /** To be awaited before the first byte of the body is sent. */
  sent(): Promise<void>;
  /** A status came; with a 429 or 529 what its headers say, which holds for all agents. */
  answered(status: number, refusal: Refusal | undefined): void;
  /** Settles it, once; the ledger has it on disk when the promise resolves. Later calls change nothing. */
  end(ending: Ending): Promise<void>;
}

export interface PaymentDeps {
  ledger: Ledger;
  rateLimits: RateLimits;
  clock: Clock;
  ids: Ids;
  failpoints: Failpoints;
  /** When money is counted. */
  time: { now(): Moment };
  /** While false nothing is granted; what is in line waits. */
  hasLease(): boolean;
  /** Called when an account may have changed. */
  changed(): void;
}

export class Payments {
  readonly #deps: PaymentDeps;
  readonly #line: Line;
  readonly #waitMs: number;
  #budgets: readonly BudgetPolicy[] | undefined;
  #inFlight = 0;
  readonly #running = new Set<Promise<void>>();
  #alarm: AbortController | undefined;
  /** By `clock.elapsed()`. */
  #nextLookMs = Number.POSITIVE_INFINITY;

  constructor(deps: PaymentDeps, { waitMs = LINE_WAIT_MS }: { waitMs?: number } = {}) {
    this.#deps = deps;
    this.#waitMs = waitMs;
    this.#line = new Line({ clock: deps.clock, waitMs });
  }

  /** Requests reserved and not ended. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#line.length;
  }

  get budgets(): readonly BudgetPolicy[] | undefined {
    return this.#budgets;
  }

  /** Puts the Budgets in force. Until the first call nothing is granted. */
  setBudgets(budgets: readonly BudgetPolicy[]): void {
    this.#budgets = budgets;
    this.look();
  }

  /** Looks whether somebody in line can go now. */
  look(): void {
    this.#line.look();
  }

  /**
   * Reserves the bound of `request` for `session`, waiting in line where others hold what it needs. A turn that was
   * paid for already is marked so in the ledger.
   *
   * @throws `signal.reason` when aborted while in line; nothing is reserved then
   */
  async reserve(request: MessagesRequest, { session, price, asked, signal }: Asking): Promise<Reserving> {
    const bounds = boundsOf(request, {
      price,
      bases: this.#deps.ledger.state.bases(session.session),
      maxOutputTokens: session.maxOutputTokens,
    });
    const serve = (): Turn<Reserving | Reserved> => {
      const { ledger, rateLimits, time, hasLease } = this.#deps;
      if (!hasLease() || this.#budgets === undefined) return { is: "wait", blocks: [EVERYTHING] };
      const moment = time.now();
      const planned = plan(ledger.state, {
        bounds,
        session,
        budgets: this.#budgets,
        moment,
        inFlight: this.#inFlight,
      });
      if (planned.is === "refused" || planned.is === "unconfirmed") return served(planned);
      if (planned.is === "wait for one to settle" || planned.is === "wait for the clock")
        return { is: "wait", blocks: [EVERYTHING] };
      const limit = rateLimits.usageLimit(price.model);
      if (limit !== undefined) return served(this.#usedUp(limit));
      const delayMs = rateLimits.delayMs(price.model);
      if (Number.isFinite(delayMs) && delayMs > this.#waitMs) return served(this.#waitedTooLong(price));
      if (delayMs > 0) {
        this.#lookIn(delayMs);
        return { is: "wait", blocks: [modelOf(price)] };
      }
      if (planned.is === "wait") {
        const leftMs = Math.min(...planned.grants.map(({ window }) => window.endMs)) - moment.wallMs;
        // Over by a clock that is not believed: whatever confirms it has everybody in line looked at.
        if (leftMs > 0) this.#lookIn(leftMs);
        return { is: "wait", blocks: planned.grants.map(({ budget }) => budgetOf(budget)) };
      }
      return served(this.#reserveNow(planned, { request, session, price, asked }));
    };
    const wants = (): readonly string[] =>
      (this.#budgets ?? [])
        .filter((b) => selects(b.selector, session.labels))
        .map(({ name }) => budgetOf(name));
    const passes = [EVERYTHING, modelOf(price)];
    try {
      const result = await this.#line.wait<Reserving | Reserved>(
        { purpose: session.purpose, wants, passes, serve },
        signal,
      );
      if (!("written" in result)) return result;
      await result.written;
      this.#deps.failpoints.hit("request-reserved");
      return { is: "reserved", payment: result.payment };
    } catch (error) {
      if (error instanceof WaitTimeoutError) return this.#waitedTooLong(price);
      throw error;
    }
  }

  #usedUp({ model, untilMs }: UsageLimit): Reserving {
    const what = model === undefined ? "the account" : model;
    return {
      is: "used up",
      message: `UsageLimited: the usage limit of ${what} is reached; nothing is sent until ${new Date(untilMs).toISOString()}.`,
      retryAfterSeconds: Math.max(1, Math.ceil((untilMs - this.#deps.clock.now()) / 1000)),
    };
  }

  #waitedTooLong(price: Price): Reserving {
    const delayMs = this.#deps.rateLimits.delayMs(price.model);
    const retryAfterSeconds = Number.isFinite(delayMs) ? Math.max(30, Math.ceil(delayMs / 1000)) : 30;
    const message =
      delayMs > 0
        ? `${price.model} is rate-limited or overloaded: nothing is sent to it before the limit passes.`
        : "It waited in line for as long as it may: others have reserved the money that it needs.";
    return { is: "waited", message, retryAfterSeconds };
  }

  #reserveNow(
    planned: Extract<Plan, { is: "granted" }>,
    { request, session, price, asked }: Omit<Asking, "signal"> & { request: MessagesRequest },
  ): Reserved {
    const { ledger, rateLimits, ids } = this.#deps;
    const id = ids.uuid();
    const { model } = request;
    const steps = reservationSteps(ledger.state, planned, { id, session, model, price, asked });
    const written = Promise.all(steps.map((step) => ledger.append(step))).then(() => {});
    this.#inFlight += 1;
    const learn = rateLimits.sending(price.model);
    this.#deps.changed();
    return {
      written,
      payment: this.#paymentOf(id, { request, price, bound: planned.bound, learn }),
    };
  }

  #paymentOf(id: string, { request, price, bound, learn }: Spending): Payment {
    const { ledger, failpoints, changed } = this.#deps;
    let ending: Promise<void> | undefined;
    let hasStatus = false;
    const running = this.#running;
    const { promise: ended, resolve: isEnded } = Promise.withResolvers<void>();
    running.add(ended);
    const end = async (how: Ending): Promise<void> => {
      const reservation = { ...bound, maxTokens: bound.outputTokens, price };
      const lines = endingSteps(id, { request, ending: how, reservation }).map((step) => ledger.append(step));
      if (!hasStatus) learn(undefined);
      this.#inFlight -= 1;
      this.look();
      changed();
      await Promise.all(lines);
      failpoints.hit("request-settled");
    };
    return {
      id,
      request: {
        ...(bound.caching ? request : withoutCaching(request)),
        max_tokens: bound.outputTokens,
      },
      sent: () => ledger.append({ step: "sent", id }),
      answered: (status, refusal) => {
        hasStatus = true;
        learn(status, refusal);
        this.look();
      },
      end(how) {
        ending ??= end(how).finally(() => {
          running.delete(ended);
          isEnded();
        });
        return ending;
      },
    };
  }

  /** Looks again in `ms` milliseconds, or before. */
  #lookIn(ms: number): void {
    const atMs = this.#deps.clock.elapsed() + Math.max(1, ms);
    if (!Number.isFinite(ms) || atMs >= this.#nextLookMs) return;
    this.#nextLookMs = atMs;
    this.#alarm?.abort(replaced);
    this.#alarm = new AbortController();
    this.#deps.clock.sleep(Math.max(1, ms), this.#alarm.signal).then(
      () => {
        this.#nextLookMs = Number.POSITIVE_INFINITY;
        this.look();
      },
      () => {
        // An earlier alarm has taken its place, or the gateway ends.
      },
    );
  }

  /** Resolves when no request is reserved any more. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  /** Sets no more alarms. What is in line stays there. */
  close(): void {
    this.#nextLookMs = Number.NEGATIVE_INFINITY;
    this.#alarm?.abort(replaced);
  }
}

/** Who asks, and what for. */
interface Asking {
  session: SessionGrant;
  price: Price;
  /** Undefined where the session's runner does not count turns. */
  asked?: AskedTurn | undefined;
  signal: AbortSignal;
}

/** What one payment is about. */
interface Spending {
  request: MessagesRequest;
  price: Price;
  bound: Bound;
  /** Tells the rate limits how it was answered. */
  learn: ReturnType<RateLimits["sending"]>;
}

interface Reserved {
  written: Promise<void>;
  payment: Payment;
}

/** What every request has to pass. */
const EVERYTHING = "*";
/** Why an alarm ends; one for all, since making a DOMException each time would cost more than the alarm. */
const replaced = new Error("The alarm was set to another time, or the gateway ends");

function modelOf({ model }: Price): string {
  return `model ${model}`;
}

function budgetOf(name: string): string {
  return `budget ${name}`;
}

function served<T>(result: T): Turn<T> {
  return { is: "served", result };
}
