/**
 * A damaged ledger made anew from what its whole lines and the copy of its totals prove. What they don't prove is
 * charged with the most that it can have been: never less than was spent, as long as no limit was above what is known.
 */
import { selects } from "./grants.ts";
import type { Line, Rebuilt, Released, Reserved, Step, Unsettled } from "./ledger-lines.ts";
import { LedgerState, type RequestRecord } from "./ledger-state.ts";
import type { Totals, WindowTotals } from "./ledger-totals.ts";
import type { NanoUSD } from "./money.ts";
import type { Price } from "./prices.ts";

export interface Damaged {
  /** Every whole line that is left, as it stands in the file: by growing number. */
  lines: readonly Line[];
  /** Whether lines may be missing after the last of them: the file is gone, or ends within something else. */
  endIsLost: boolean;
  totals: Totals | undefined;
  /** The limits in force now, as windows that are not over. */
  limits: readonly Limit[];
}

/** A window with its limit. */
export type Limit = Omit<WindowTotals, "cost" | "tokens">;

/** What is charged to a window beyond what lines prove. */
export interface Charge {
  /** By which a person can settle it. */
  id: string;
  budget: string;
  window: string;
  cost: NanoUSD;
  tokens: number;
}

export interface Rebuilding {
  /** The steps of the new ledger, in order, each with its time; before them come `opened` and `rebuilt`. */
  steps: readonly (Step & { at: number })[];
  /** Lines that are missing; more may be missing after the last one where the end is lost. */
  lost: number;
  /** Whether lines are missing that the copy of the totals doesn't know of. */
  beyondTotals: boolean;
  /** Requests whose end was lost: charged with their bound. */
  atBound: readonly string[];
  charges: readonly Charge[];
  /** The copy of the totals that counted. */
  copy?: Rebuilt["copy"];
}

type TimedStep = Step & { at: number };

export function rebuild({ lines: known, endIsLost, totals: given, limits }: Damaged): Rebuilding {
  // What it says is charged already by an earlier making anew, which a crash kept from its last step.
  const totals = !endIsLost && given !== undefined && isMadeFrom(known, given) ? undefined : given;
  const ledger = known.find((line) => line.step === "opened");
  // A copy of another ledger still says what was spent; but none of these lines explains any of it, or adds to it.
  const copiedTo = totals === undefined || totals.ledger !== ledger?.ledger ? 0 : totals.seq;
  const isAnothers = ledger !== undefined && totals?.ledger !== ledger.ledger;
  const lost = lostNumbers(known, Math.max(copiedTo, known.at(-1)?.seq ?? 0));
  const beyondTotals = endIsLost || ledger === undefined || lost.some((seq) => seq > copiedTo);

  const book = new Book(lost);
  for (const line of known) book.take(line);
  const atBound = book.end();
  const windows = openWindows([...limits, ...(totals?.windows ?? []), ...book.limits()], book.at);
  const copied = new Copied(isAnothers ? [] : known, lost, copiedTo);
  const wanted = windows.map((window) => {
    const last = totals?.windows.find(({ grant }) => grant === window.grant);
    const { cost, tokens } = book.charged(window);
    const unexplained = copied.unexplained(window, last, book.state);
    return {
      window,
      cost: Math.max(cost + unexplained.cost, beyondTotals ? (window.limitCost ?? 0) : 0),
      tokens: Math.max(tokens + unexplained.tokens, beyondTotals ? (window.limitTokens ?? 0) : 0),
    };
  });
  // What was lost may be in several windows: what is charged to one is not wanted of the next ones again.
  const charges = wanted.flatMap(({ window, cost, tokens }) => {
    const charged = book.charged(window);
    return book.charge(window, { cost: cost - charged.cost, tokens: tokens - charged.tokens });
  });
  const copy = given === undefined ? {} : { copy: { ledger: given.ledger, seq: given.seq } };
  return { steps: book.steps, lost: lost.length, beyondTotals, atBound, charges, ...copy };
}

/** Whether `lines` are, all of them, a ledger that was made anew from this copy, and that has none of its own yet. */
export function isMadeFrom(lines: readonly Line[], { ledger, seq }: Totals): boolean {
  const isWhole = lines.every((line, index) => line.seq === index + 1);
  return lines.some(
    (line) =>
      line.step === "rebuilt" &&
      line.copy?.ledger === ledger &&
      line.copy.seq === seq &&
      line.lines === lines.length &&
      isWhole,
  );
}

/** The new ledger while it is written. */
class Book {
  readonly state = new LedgerState();
  readonly steps: TimedStep[] = [];
  readonly #lost: readonly number[];
  readonly #reservedAt = new Map<string, number>();
  #charges = 0;

  constructor(lost: readonly number[]) {
    this.#lost = lost;
    this.state.apply({ seq: 1, at: 0, step: "opened", ledger: "rebuilt", version: 1 });
  }

  /** Wall time of the newest reservation, grant or line, ms. */
  get at(): number {
    return this.steps.reduce((newest, { at }) => Math.max(newest, at), 0);
  }

  /** Takes a line that is left, with what must have come before it. */
  take(line: Line): void {
    const { seq, ...step } = line;
    if (step.step === "opened") return;
    const known = "id" in step ? this.state.request(step.id) : undefined;
    if (step.step === "granted" || step.step === "rebuilt") this.#add(step);
    else if (step.step === "reserved") {
      if (known !== undefined) return;
      this.#reservedAt.set(step.id, seq);
      this.#add(step);
    } else if (known === undefined) this.#takeUnknown(step);
    else this.#takeKnown(step, known);
  }

  #takeKnown(
    step: Exclude<TimedStep, { step: "opened" | "granted" | "rebuilt" }>,
    known: RequestRecord,
  ): void {
    const { id, state } = known;
    const isOpen = state === "reserved" || state === "sent";
    if (step.step === "violated" || step.step === "personSettled") {
      // It was ended by a line that is lost.
      if (isOpen) this.#chargeBound(known, step.at);
      if (state !== "released") this.#add(step);
      return;
    }
    if (step.step === "sent" ? state !== "reserved" : !isOpen) return;
    if (state === "reserved" && (step.step === "settled" || step.step === "unsettled"))
      this.#add({ step: "sent", id, at: step.at });
    this.#add(step);
  }

  /** Ends what has no end. Returns those of which it was lost, or may have been. */
  end(): string[] {
    const { at } = this;
    const atBound: string[] = [];
    for (const request of [...this.state.requests()]) {
      if (request.state !== "reserved" && request.state !== "sent") continue;
      const reservedAt = this.#reservedAt.get(request.id) ?? 0;
      const isSure = !this.#lost.some((seq) => seq > reservedAt);
      if (isSure && request.state === "reserved") {
        const why = "the gateway ended before it was sent";
        this.#add({ step: "released", id: request.id, why, at } satisfies Released & { at: number });
      } else {
        this.#chargeBound(request, at);
        atBound.push(request.id);
      }
    }
    return atBound;
  }

  /** The windows that lines granted. */
  limits(): Limit[] {
    return [...this.state.grants()].map(({ step: _, at: __, ...limit }) => limit);
  }

  charged({ selector, startMs, endMs }: Limit): { cost: NanoUSD; tokens: number } {
    const { spent, reserved, spentTokens, reservedTokens } = this.state.sums({ selector, startMs, endMs });
    return { cost: spent + reserved, tokens: spentTokens + reservedTokens };
  }

  /** Charges a window as a request of nobody, that a person can settle. */
  charge(window: Limit, { cost, tokens }: { cost: NanoUSD; tokens: number }): Charge[] {
    if (cost <= 0 && tokens <= 0) return [];
    // An earlier making anew has charged some.
    do this.#charges += 1;
    while (this.state.request(`rebuilt-${this.#charges}`) !== undefined);
    const id = `rebuilt-${this.#charges}`;
    const at = Math.min(Math.max(this.at, window.startMs), window.endMs - 1);
    const amounts = { cost: Math.max(0, cost), tokens: Math.max(0, tokens) };
    // Without its grant the window would be in no copy of the totals.
    if (this.state.grant(window.grant) === undefined) this.#add({ step: "granted", at, ...limitOf(window) });
    this.#add(ofNobody(id, at, window.selector, amounts));
    const request = this.state.request(id);
    if (request !== undefined) this.#chargeBound(request, at, "it can't be proven that it was not spent");
    return [{ id, budget: window.budget, window: window.window, ...amounts }];
  }

  #chargeBound({ id, state, bound }: RequestRecord, at: number, why = "its end was lost"): void {
    if (state === "reserved") this.#add({ step: "sent", id, at });
    const { cost, tokens } = bound;
    this.#add({ step: "unsettled", id, why, cost, tokens, at } satisfies Unsettled & { at: number });
  }

  /** A request whose reservation was lost is in the copied sums. That it broke its bound must go on stopping all. */
  #takeUnknown(step: TimedStep): void {
    if (step.step !== "violated") return;
    this.#add(ofNobody(step.id, step.at, {}, { cost: step.cost, tokens: 0 }));
    const request = this.state.request(step.id);
    if (request !== undefined) this.#chargeBound(request, step.at);
    this.#add(step);
  }

  #add(step: TimedStep): void {
    this.state.apply({ ...step, seq: this.state.seq + 1 });
    this.steps.push(step);
  }
}

/** What the lines explain of the sums that the copy of the totals has. */
class Copied {
  readonly #then: LedgerState;
  /** Requests of which the lines say what they were charged with when the copy was made. */
  readonly #exact = new Set<string>();
  /** Added since, by people and violations, to requests of which that is unknown. */
  readonly #raised: NanoUSD;

  constructor(known: readonly Line[], lost: readonly number[], copiedTo: number) {
    const before = known.filter(({ seq }) => seq <= copiedTo);
    const after = known.filter(({ seq }) => seq > copiedTo);
    const book = new Book(lost);
    for (const line of before) book.take(line);
    this.#then = book.state;
    const newest = new Map<string, number>();
    for (const line of before) if ("id" in line) newest.set(line.id, line.seq);
    // What ends later was open then, whatever else was lost.
    const endedAfter = new Set(
      after.flatMap((line) =>
        line.step === "settled" || line.step === "unsettled" || line.step === "released" ? [line.id] : [],
      ),
    );
    for (const { id } of book.state.requests()) {
      const seq = newest.get(id) ?? 0;
      if (endedAfter.has(id) || !lost.some((one) => one > seq && one <= copiedTo)) this.#exact.add(id);
    }
    this.#raised = after.reduce((sum, line) => {
      if (!("id" in line) || this.#exact.has(line.id) || line.step === "reserved") return sum;
      if (line.step === "violated") return sum + Math.max(0, line.cost - line.bound);
      return line.step === "personSettled" ? sum + line.cost : sum;
    }, 0);
  }

  /** So much of a window's copied sum, and of what was added to it, is charged to no request that is known. */
  unexplained(
    { selector, startMs, endMs }: Limit,
    last: WindowTotals | undefined,
    now: LedgerState,
  ): { cost: NanoUSD; tokens: number } {
    if (last === undefined) return { cost: 0, tokens: 0 };
    let { cost, tokens } = last;
    for (const request of this.#then.requests()) {
      const { at, payer, id } = request;
      if (at < startMs || at >= endMs || !selects(selector, payer.labels)) continue;
      const charged = this.#exact.has(id) ? request : now.request(id);
      if (charged === undefined || charged.state === "released") continue;
      cost -= charged.cost;
      tokens -= charged.tokens;
    }
    return { cost: Math.max(0, cost + this.#raised), tokens: Math.max(0, tokens) };
  }
}

function lostNumbers(known: readonly Line[], last: number): number[] {
  const there = new Set(known.map(({ seq }) => seq));
  return Array.from({ length: last }, (_, index) => index + 1).filter((seq) => !there.has(seq));
}

/**
 * The windows that are not over at `at`, each once with the greatest limit known of it. First those that select most
 * and end first: what is charged to them counts in the others too.
 */
function openWindows(all: readonly Limit[], at: number): Limit[] {
  const byGrant = new Map<string, Limit>();
  for (const one of all) {
    if (one.endMs <= at) continue;
    const known = byGrant.get(one.grant);
    byGrant.set(one.grant, {
      ...one,
      limitCost: greater(known?.limitCost, one.limitCost),
      limitTokens: greater(known?.limitTokens, one.limitTokens),
    });
  }
  const labels = ({ selector }: Limit) => Object.keys(selector).length;
  return [...byGrant.values()].sort((a, b) => labels(b) - labels(a) || a.endMs - b.endMs);
}

function limitOf(window: Limit): Limit {
  const { grant, holder, budget, uid, period, startMs, endMs, selector, limitCost, limitTokens } = window;
  const name = window.window;
  return {
    grant,
    holder,
    budget,
    uid,
    period,
    window: name,
    startMs,
    endMs,
    selector,
    limitCost,
    limitTokens,
  };
}

function greater(a: number | null | undefined, b: number | null): number | null {
  if (a === undefined || a === null) return b;
  return b === null ? a : Math.max(a, b);
}

function ofNobody(
  id: string,
  at: number,
  labels: Readonly<Record<string, string>>,
  { cost, tokens }: { cost: NanoUSD; tokens: number },
): Reserved {
  const unknown = "unknown";
  const price: Price = { model: unknown, steps: [], factor: 1 };
  return {
    step: "reserved",
    ...{ id, at, labels, grants: [], model: unknown, maxTokens: 0, inputTokens: 0, cost, tokens, price },
    ...{ session: unknown, run: 0, agent: unknown, pool: unknown, project: unknown, purpose: "execute" },
  };
}
