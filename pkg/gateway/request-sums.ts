/** Sums over the requests of a ledger, one for each question that was asked, kept up to date with every step. */
import type { Charge } from "./folded-requests.ts";
import { selects } from "./grants.ts";
import type { RequestRecord } from "./ledger-state.ts";
import type { CostQuery, Sums } from "./money.ts";

/** A question: the requests of a window that a selector takes, or those a query is about. */
export interface Question extends CostQuery {
  selector?: Readonly<Record<string, string>>;
  startMs?: number;
  endMs?: number;
}

/** A request, or what was charged for several. */
export type Summed = Pick<RequestRecord, "payer" | "at" | "state" | "cost" | "tokens"> &
  Partial<Pick<Charge, "requests">>;

interface Kept {
  question: Question;
  sums: Sums;
}

/** Sums kept per question; past this many they are forgotten and computed again when asked for. */
const KEPT_SUMS_MAX = 1_000;

export class RequestSums {
  /** What is summed up; by Project, too: most questions are about one. */
  #all: Summed[] = [];
  #ofProject = new Map<string, Summed[]>();
  readonly #kept = new Map<string, Kept>();
  /** What is kept, by the Project that it is about: a step of a request changes its own and those about all. */
  readonly #keptOf = new Map<string | undefined, Kept[]>();

  /** Takes in what is new. */
  add(summed: Summed): void {
    this.#list(summed);
    this.#count(summed, 1);
  }

  /** Sums up `all` from here on, which adds up to what was: what is kept stays as it is. */
  replace(all: Iterable<Summed>): void {
    this.#all = [];
    this.#ofProject = new Map();
    for (const summed of all) this.#list(summed);
  }

  /** Carries `change` out on what was added. */
  change(request: Summed, change: () => void): void {
    this.#count(request, -1);
    change();
    this.#count(request, 1);
  }

  /** Sums over the requests that `question` is about; kept up to date for as long as it is kept. */
  of(question: Question): Readonly<Sums> {
    const key = keyOf(question);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept.sums;
    const sums = { spent: 0, reserved: 0, spentTokens: 0, reservedTokens: 0, requests: 0, unsettled: 0 };
    const { project } = question;
    const requests = project === undefined ? this.#all : (this.#ofProject.get(project) ?? []);
    for (const request of requests) if (matches(question, request)) add(sums, request, 1);
    this.#keep(key, { question, sums });
    return sums;
  }

  #list(summed: Summed): void {
    this.#all.push(summed);
    const { project } = summed.payer;
    const others = this.#ofProject.get(project);
    if (others === undefined) this.#ofProject.set(project, [summed]);
    else others.push(summed);
  }

  #keep(key: string, kept: Kept): void {
    if (this.#kept.size >= KEPT_SUMS_MAX) {
      this.#kept.clear();
      this.#keptOf.clear();
    }
    this.#kept.set(key, kept);
    const { project } = kept.question;
    const others = this.#keptOf.get(project);
    if (others === undefined) this.#keptOf.set(project, [kept]);
    else others.push(kept);
  }

  #count(request: Summed, sign: 1 | -1): void {
    for (const project of [undefined, request.payer.project])
      for (const { question, sums } of this.#keptOf.get(project) ?? [])
        if (matches(question, request)) add(sums, request, sign);
  }
}

function keyOf({ project, session, agent, purpose, startMs, endMs, selector = {} }: Question): string {
  const labels = Object.entries(selector).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([project, session, agent, purpose, startMs, endMs, labels]);
}

function matches(question: Question, { at, payer }: Summed): boolean {
  const { startMs = Number.NEGATIVE_INFINITY, endMs = Number.POSITIVE_INFINITY, selector } = question;
  return (
    startMs <= at &&
    at < endMs &&
    (question.project ?? payer.project) === payer.project &&
    (question.session ?? payer.session) === payer.session &&
    (question.agent ?? payer.agent) === payer.agent &&
    (question.purpose ?? payer.purpose) === payer.purpose &&
    (selector === undefined || selects(selector, payer.labels))
  );
}

function add(sums: Sums, { state, cost, tokens, requests = 1 }: Summed, sign: 1 | -1): void {
  if (state === "released") return;
  const isReserved = state === "reserved" || state === "sent";
  sums[isReserved ? "reserved" : "spent"] += sign * cost;
  sums[isReserved ? "reservedTokens" : "spentTokens"] += sign * tokens;
  sums.requests += sign * requests;
  if (state === "unsettled") sums.unsettled += sign * requests;
}
