/** Sums over the requests of a ledger, one for each question that was asked, kept up to date with every step. */
import { selects } from "./grants.ts";
import type { RequestRecord } from "./ledger-state.ts";
import type { CostQuery, Sums } from "./money.ts";

/** A question: the requests of a window that a selector takes, or those a query is about. */
export interface Question extends CostQuery {
  selector?: Readonly<Record<string, string>>;
  startMs?: number;
  endMs?: number;
}

interface Kept {
  question: Question;
  sums: Sums;
}

/** Sums kept per question; past this many they are forgotten and computed again when asked for. */
const KEPT_SUMS_MAX = 1_000;

export class RequestSums {
  /** Every request; by Project, too: most questions are about one. */
  readonly #requests: RequestRecord[] = [];
  readonly #ofProject = new Map<string, RequestRecord[]>();
  readonly #kept = new Map<string, Kept>();
  /** What is kept, by the Project that it is about: a step of a request changes its own and those about all. */
  readonly #keptOf = new Map<string | undefined, Kept[]>();

  /** Takes in a request that is new. */
  add(request: RequestRecord): void {
    this.#requests.push(request);
    const { project } = request.payer;
    const others = this.#ofProject.get(project);
    if (others === undefined) this.#ofProject.set(project, [request]);
    else others.push(request);
    this.#count(request, 1);
  }

  /** Carries `change` out on a request that was added. */
  change(request: RequestRecord, change: () => void): void {
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
    const requests = project === undefined ? this.#requests : (this.#ofProject.get(project) ?? []);
    for (const request of requests) if (matches(question, request)) add(sums, request, 1);
    this.#keep(key, { question, sums });
    return sums;
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

  #count(request: RequestRecord, sign: 1 | -1): void {
    for (const project of [undefined, request.payer.project])
      for (const { question, sums } of this.#keptOf.get(project) ?? [])
        if (matches(question, request)) add(sums, request, sign);
  }
}

function keyOf({ project, session, agent, purpose, startMs, endMs, selector = {} }: Question): string {
  const labels = Object.entries(selector).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([project, session, agent, purpose, startMs, endMs, labels]);
}

function matches(question: Question, { at, payer }: RequestRecord): boolean {
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

function add(sums: Sums, { state, cost, tokens }: RequestRecord, sign: 1 | -1): void {
  if (state === "released") return;
  const isReserved = state === "reserved" || state === "sent";
  sums[isReserved ? "reserved" : "spent"] += sign * cost;
  sums[isReserved ? "reservedTokens" : "spentTokens"] += sign * tokens;
  sums.requests += sign;
  if (state === "unsettled") sums.unsettled += sign;
}
