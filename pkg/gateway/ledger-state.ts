/**
 * What the lines of a ledger add up to. Pure: the same lines always give the same sums.
 *
 * A gateway's state is folded now and then, so that it has the size of what goes on and not of all that ever happened.
 */
import { Bases, type Basis } from "./basis.ts";
import { type Charge, FoldedRequests, timeless, type WrittenCharge } from "./folded-requests.ts";
import {
  type AskedTurn,
  type Granted,
  LedgerError,
  type Line,
  type Payer,
  type Reserved,
  type Settled,
} from "./ledger-lines.ts";
import type { BudgetPolicy, NanoUSD, Sums } from "./money.ts";
import { type Question, RequestSums } from "./request-sums.ts";
import type { Period, Window } from "./windows.ts";

export type RequestState = "reserved" | "sent" | "settled" | "unsettled" | "released";

/** One request as the ledger knows it. */
export interface RequestRecord {
  id: string;
  /** Shared by the requests of one session and run. */
  payer: Payer;
  /** Wall time of the reservation, ms: the windows it belongs to. */
  at: number;
  model: string;
  state: RequestState;
  /** The bound while reserved or sent, then what is charged. */
  cost: NanoUSD;
  tokens: number;
  bound: { cost: NanoUSD; tokens: number; maxTokens: number; inputTokens: number };
  /** As the ledger's line has them. */
  resume?: string;
  again?: string;
}

/** How a session's newest turn was asked for so far. */
interface TurnRecord {
  run: number;
  turn: number;
  asked: { request: RequestRecord; host: string }[];
}

/** A state as JSON, from which one is made that answers alike. Payers are told by their place among `payers`. */
export interface WrittenState {
  lines: number;
  at: number;
  ledger: string;
  newestMs?: number;
  unsettledInRow: number;
  corrections: number;
  payers: readonly Payer[];
  requests: readonly (Omit<RequestRecord, "payer"> & { payer: number })[];
  doubted: readonly string[];
  charges: readonly WrittenCharge[];
  turns: readonly [
    session: string,
    { run: number; turn: number; asked: { request: string; host: string }[] },
  ][];
  violated: readonly string[];
  grants: readonly Granted[];
  newestGrants: readonly [string, Granted][];
  bases: readonly [session: string, readonly Basis[]][];
}

/** Sessions whose newest turn is known: more than ever live at once, and those that were paused for days. */
const TURNS_MAX = 1_000;

export class LedgerState {
  #lines = 0;
  #at = 0;
  #ledger = "";
  #newestMs: number | undefined;
  #unsettledInRow = 0;
  readonly #requests = new Map<string, RequestRecord>();
  /** Requests that were charged unseen or above their bound, once: a person may say what they cost, and say so again. */
  readonly #doubted = new Set<string>();
  readonly #folded = new FoldedRequests();
  #payers = new Map<string, Payer>();
  readonly #turns = new Map<string, TurnRecord>();
  readonly #violated = new Set<string>();
  #corrections = 0;
  readonly #grants = new Map<string, Granted>();
  /** The newest of each Budget and period, by the Budget's uid and by its name. */
  readonly #newestGrants = new Map<string, Granted>();
  readonly #bases = new Bases();
  readonly #sums = new RequestSums();

  /** Number of the newest line. */
  get seq(): number {
    return this.#lines;
  }

  /** Wall time of the newest line, ms. */
  get at(): number {
    return this.#at;
  }

  /** The newest moment that a reservation was counted at, wall time in ms; undefined: there was none. */
  get newestMs(): number | undefined {
    return this.#newestMs;
  }

  /** Identity of this ledger, from its first line. */
  get ledger(): string {
    return this.#ledger;
  }

  /** Requests that used more than their bound and that no person has settled. */
  get violated(): readonly string[] {
    return [...this.#violated];
  }

  /** How often a person has said what a request cost. */
  get corrections(): number {
    return this.#corrections;
  }

  /** How many of the newest endings in a row were unsettled. */
  get unsettledInRow(): number {
    return this.#unsettledInRow;
  }

  /** Undefined also where the request was folded. */
  request(id: string): Readonly<RequestRecord> | undefined {
    return this.#requests.get(id);
  }

  /** Those that were not folded, oldest first. */
  requests(): IterableIterator<Readonly<RequestRecord>> {
    return this.#requests.values();
  }

  /** What requests that were folded were charged. */
  charges(): IterableIterator<Readonly<Charge>> {
    return this.#folded[Symbol.iterator]();
  }

  /**
   * What a request for `turn` of a session's run repeats: the newest one for the same turn that was charged, or may
   * be yet; undefined when the turn was not paid for.
   */
  repeated(
    { session, run }: Pick<Payer, "session" | "run">,
    { turn, host }: AskedTurn,
  ): Pick<Reserved, "resume" | "again"> {
    const known = this.#turns.get(session);
    if (known?.run !== run || known.turn !== turn) return {};
    const paid = known.asked.findLast(({ request }) => mayBePaid(request));
    if (paid === undefined) return {};
    return paid.host === host ? { again: paid.request.id } : { resume: paid.request.id };
  }

  /** What is known of the newest settled requests of `session`, the latest first. */
  bases(session: string): readonly Basis[] {
    return this.#bases.of(session);
  }

  grant(id: string): Readonly<Granted> | undefined {
    return this.#grants.get(id);
  }

  grants(): IterableIterator<Readonly<Granted>> {
    return this.#grants.values();
  }

  /**
   * The last window that was opened for a Budget: of that uid or, since one that is deleted and created anew is
   * another one only to the API, of that name.
   */
  newestWindow({ uid, name }: BudgetPolicy, period: Period): Window | undefined {
    const byUid = this.#newestGrants.get(`uid ${uid} ${period}`);
    const byName = this.#newestGrants.get(`name ${name} ${period}`);
    const granted = (byUid?.endMs ?? 0) >= (byName?.endMs ?? 0) ? byUid : byName;
    if (granted === undefined) return undefined;
    return { period, name: granted.window, startMs: granted.startMs, endMs: granted.endMs };
  }

  /** Sums over the requests that `question` is about. */
  sums(question: Question): Readonly<Sums> {
    return this.#sums.of(question);
  }

  /**
   * Takes the next line in.
   *
   * @throws LedgerError when it can't follow the lines before it; nothing has changed then
   */
  apply(line: Line): void {
    if (line.seq !== this.#lines + 1) throw new LedgerError(`Line ${this.#lines + 1} has seq ${line.seq}.`);
    if ((line.seq === 1) !== (line.step === "opened"))
      throw new LedgerError("A ledger begins with `opened`, once.");
    this.#applyStep(line);
    this.#lines = line.seq;
    this.#at = line.at;
  }

  /**
   * Adds up what is over for good: every request that was settled as it should be or released, but for the newest `keep`
   * and those of each session's newest turn. No sum changes.
   */
  fold(keep: number): void {
    const asked = new Set(
      [...this.#turns.values()].flatMap((turn) => turn.asked.map(({ request }) => request)),
    );
    const ids = [...this.#requests.keys()];
    for (const id of ids.slice(0, Math.max(0, ids.length - keep))) {
      const request = this.#requests.get(id);
      if (request === undefined || asked.has(request) || this.#doubted.has(id)) continue;
      if (request.state !== "settled" && request.state !== "released") continue;
      this.#requests.delete(id);
      if (request.state === "settled")
        this.#folded.add({ ...request, requests: 1, isAgain: isAgain(request) });
    }
    for (const old of this.#folded.takeOld(this.#newestMs ?? 0))
      this.#folded.add({ ...old, at: 0, payer: this.#payerOf(timeless(old.payer)) });
    this.#sums.replace(this.#summed());
    const payers = new Set([...this.#summed()].map(({ payer }) => payer));
    this.#payers = new Map([...payers].map((payer) => [JSON.stringify(payer), payer]));
  }

  *#summed(): Iterable<RequestRecord | Charge> {
    yield* this.#folded;
    yield* this.#requests.values();
  }

  asJson(): WrittenState {
    const payers = [...this.#payers.values()];
    const places = new Map(payers.map((payer, place) => [payer, place]));
    const placeOf = (payer: Payer): number => places.get(payer) ?? -1;
    return {
      ...{ lines: this.#lines, at: this.#at, ledger: this.#ledger, corrections: this.#corrections },
      ...(this.#newestMs === undefined ? {} : { newestMs: this.#newestMs }),
      ...{ unsettledInRow: this.#unsettledInRow, violated: this.violated, payers },
      requests: [...this.#requests.values()].map((one) => ({ ...one, payer: placeOf(one.payer) })),
      doubted: [...this.#doubted],
      charges: [...this.#folded].map(({ payer, model, at, cost, tokens, requests, isAgain: again }) => [
        ...([placeOf(payer), model, at, cost, tokens, requests, again ? 1 : 0] as const),
      ]),
      turns: [...this.#turns].map(([session, { run, turn, asked }]) => [
        session,
        { run, turn, asked: asked.map(({ request, host }) => ({ request: request.id, host })) },
      ]),
      grants: [...this.#grants.values()],
      newestGrants: [...this.#newestGrants],
      bases: [...this.#bases],
    };
  }

  static fromJson(written: WrittenState): LedgerState {
    const state = new LedgerState();
    state.#lines = written.lines;
    state.#at = written.at;
    state.#ledger = written.ledger;
    state.#newestMs = written.newestMs;
    state.#unsettledInRow = written.unsettledInRow;
    state.#corrections = written.corrections;
    for (const payer of written.payers) state.#payers.set(JSON.stringify(payer), payer);
    const payerAt = (place: number): Payer => {
      const payer = written.payers[place];
      if (payer === undefined) throw new LedgerError(`There is no payer ${place}.`);
      return payer;
    };
    for (const request of written.requests)
      state.#requests.set(request.id, { ...request, payer: payerAt(request.payer) });
    for (const id of written.doubted) state.#doubted.add(id);
    for (const [payer, model, at, cost, tokens, requests, again] of written.charges)
      state.#folded.add({ payer: payerAt(payer), model, at, cost, tokens, requests, isAgain: again === 1 });
    for (const [session, { run, turn, asked }] of written.turns)
      state.#turns.set(session, {
        ...{ run, turn },
        asked: asked.flatMap(({ request: id, host }) => {
          const request = state.#requests.get(id);
          return request === undefined ? [] : [{ request, host }];
        }),
      });
    for (const id of written.violated) state.#violated.add(id);
    for (const granted of written.grants) state.#grants.set(granted.grant, granted);
    for (const [key, granted] of written.newestGrants) state.#newestGrants.set(key, granted);
    for (const [session, bases] of written.bases)
      for (const basis of bases.toReversed()) state.#bases.add(session, basis);
    state.#sums.replace(state.#summed());
    return state;
  }

  #applyStep(line: Line): void {
    switch (line.step) {
      case "opened":
        this.#ledger = line.ledger;
        return;
      case "rebuilt":
        // What it says is charged by the lines that follow.
        return;
      case "granted":
        this.#grant(line);
        return;
      case "reserved":
        this.#reserve(line);
        return;
      case "sent":
        this.#change(line, ["reserved"], { state: "sent" });
        return;
      case "settled":
        this.#change(line, ["sent"], { state: "settled", cost: line.cost, tokens: line.tokens });
        this.#unsettledInRow = 0;
        this.#keepBasis(line);
        return;
      case "unsettled":
        this.#change(line, ["sent"], { state: "unsettled", cost: line.cost, tokens: line.tokens });
        this.#doubted.add(line.id);
        this.#unsettledInRow += 1;
        return;
      case "released":
        this.#change(line, ["reserved", "sent"], { state: "released", cost: 0, tokens: 0 });
        return;
      case "violated":
        this.#change(line, ["settled", "unsettled"], {});
        this.#violate(line.id);
        return;
      case "personSettled":
        this.#change(line, ["settled", "unsettled"], { state: "settled", cost: line.cost });
        this.#doubted.add(line.id);
        this.#violated.delete(line.id);
        this.#corrections += 1;
        return;
      default:
        throw new LedgerError(
          `Line ${(line as Line).seq} has the unknown step ${JSON.stringify((line as Line).step)}.`,
        );
    }
  }

  #grant(line: Granted & Line): void {
    this.#grants.set(line.grant, line);
    this.#newestGrants.set(`uid ${line.uid} ${line.period}`, line);
    this.#newestGrants.set(`name ${line.budget} ${line.period}`, line);
    this.#newestMs = Math.max(line.at, this.#newestMs ?? line.at);
  }

  #reserve(line: Reserved & Line): void {
    if (this.#requests.has(line.id))
      throw new LedgerError(`Line ${line.seq} reserves request ${line.id} again.`);
    this.#newestMs = Math.max(line.at, this.#newestMs ?? line.at);
    const { id, at, model, cost, tokens } = line;
    const request: RequestRecord = {
      ...{ id, at, model, cost, tokens },
      payer: this.#payerOf(line),
      state: "reserved",
      bound: { cost, tokens, maxTokens: line.maxTokens, inputTokens: line.inputTokens },
      ...(line.resume === undefined ? {} : { resume: line.resume }),
      ...(line.again === undefined ? {} : { again: line.again }),
    };
    this.#keepTurn(line, request);
    this.#requests.set(id, request);
    this.#sums.add(request);
  }

  /** Only the newest turn of a session can be asked for again. */
  #keepTurn({ session, run, turn, host }: Reserved, request: RequestRecord): void {
    if (turn === undefined || host === undefined) return;
    const known = this.#turns.get(session);
    const same = known?.run === run && known.turn === turn;
    const asked = [...(same ? known.asked : []), { request, host }];
    // Taken out first, so that the map has them by their last turn.
    this.#turns.delete(session);
    this.#turns.set(session, { run, turn, asked });
    const [oldest] = this.#turns.keys();
    if (this.#turns.size > TURNS_MAX && oldest !== undefined) this.#turns.delete(oldest);
  }

  /** One object for all requests of a payer. */
  #payerOf({ session, run, agent, pool, project, purpose, labels }: Payer): Payer {
    const payer = { session, run, agent, pool, project, purpose, labels };
    const key = JSON.stringify(payer);
    const known = this.#payers.get(key);
    if (known === undefined) this.#payers.set(key, payer);
    return known ?? payer;
  }

  #change(
    line: Line & { id: string },
    from: readonly RequestState[],
    to: Partial<Pick<RequestRecord, "state" | "cost" | "tokens">>,
  ): void {
    const request = this.#requests.get(line.id);
    if (request === undefined || !from.includes(request.state)) {
      const found = request === undefined ? "was never reserved" : `is ${request.state}`;
      throw new LedgerError(`Line ${line.seq} says ${line.step} of request ${line.id}, which ${found}.`);
    }
    this.#sums.change(request, () => Object.assign(request, to));
    // Not only where a `violated` line says so: a crash can cut it off from the settlement before it.
    if (isAboveBound(request)) this.#violate(line.id);
  }

  #violate(id: string): void {
    this.#violated.add(id);
    this.#doubted.add(id);
  }

  #keepBasis({ id, basis }: Settled): void {
    const request = this.#requests.get(id);
    if (request !== undefined && basis !== undefined) this.#bases.add(request.payer.session, basis);
  }
}

function mayBePaid({ state, cost }: RequestRecord): boolean {
  return state !== "released" && cost > 0;
}

/** Whether a turn was paid before. */
export function isAgain({ resume, again }: Pick<RequestRecord, "resume" | "again">): boolean {
  return resume !== undefined || again !== undefined;
}

function isAboveBound({ cost, tokens, bound }: RequestRecord): boolean {
  return cost > bound.cost || tokens > bound.tokens;
}
