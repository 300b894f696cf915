/** The model's API as the gateway meets it: it bills by books of its own, and does not always say what. */
import type { MessagesRequest } from "../../../pkg/gateway/messages-request.ts";
import type { NanoUSD } from "../../../pkg/gateway/money.ts";
import { costOf, type Price } from "../../../pkg/gateway/prices.ts";
import type { Ending } from "../../../pkg/gateway/settlement.ts";
import { sumOf, tokensOf, type Usage } from "../../../pkg/gateway/usage.ts";
import type { Refusal } from "../../../pkg/gateway/usage-limit.ts";
import type { Prng } from "../kernel/prng.ts";

/** Probabilities, 0 to 1, of how a request ends. May be changed while a run goes on. */
export interface UpstreamFaults {
  /** A 429, with the time until it may be asked again, or a 529 without. */
  limited: number;
  /** A 500. */
  fails: number;
  /** The stream is cut, before or after it has said how long the prompt was. */
  cut: number;
  /** It works, and bills, and no status comes. */
  silent: number;
  /** There is no connection. */
  unreachable: number;
}

const noUpstreamFaults: UpstreamFaults = { limited: 0, fails: 0, cut: 0, silent: 0, unreachable: 0 };

/** What it takes for one request. */
export interface Bill {
  cost: NanoUSD;
  tokens: number;
}

export interface UpstreamAnswer {
  ending: Ending;
  /** Of a 429: when to come back, and what is used up. */
  refusal: Refusal | undefined;
}

/** What the API may add around a request, in tokens: no more than the gateway reckons with. */
const ADDED_TOKENS_MAX = 10_000;

export class SimUpstream {
  readonly faults: UpstreamFaults = { ...noUpstreamFaults };
  /** Told of each request whose body it is sent. */
  onTake: () => void = () => {};
  /** Told of each request that has been billed, or billed otherwise. */
  onBill: (id: string) => void = () => {};
  /** The account has used up what its plan allows until then, by the true time. */
  usedUpUntilMs = 0;
  readonly #bills = new Map<string, Bill>();
  readonly #chance: Prng;
  readonly #trueMs: () => number;

  /** @param trueMs - what time it is, whatever clocks of machines say */
  constructor(chance: Prng, trueMs: () => number) {
    this.#chance = chance;
    this.#trueMs = trueMs;
  }

  /** By the gateway's id of the request: every request whose body it got. */
  get bills(): ReadonlyMap<string, Bill> {
    return this.#bills;
  }

  get trueMs(): number {
    return this.#trueMs();
  }

  /** The `Date` header of an answer. */
  get date(): string {
    return new Date(this.#trueMs()).toUTCString();
  }

  /** Whether a question for the time is answered. */
  get isReachable(): boolean {
    return !this.#chance.chance(this.faults.unreachable);
  }

  /** Takes a request: what it will cost is decided here, whoever is left to hear of it. */
  take(id: string, request: MessagesRequest, price: Price): UpstreamAnswer {
    this.onTake();
    const { limited, fails, cut, silent, unreachable } = this.faults;
    const chance = this.#chance;
    let roll = chance.next();
    const falls = (share: number): boolean => {
      roll -= share;
      return roll < 0;
    };
    const answered = (status: number, start?: Usage, final?: Usage): Ending => ({
      is: "answered",
      status,
      seen: {
        start: start === undefined ? undefined : [start],
        final: final === undefined ? undefined : [final],
        contextEdited: false,
      },
    });
    const refusal = undefined;
    const usedUpMs = this.usedUpUntilMs - this.#trueMs();
    if (falls(unreachable)) return { ending: { is: "not sent", why: "no connection" }, refusal };
    if (usedUpMs > 0) {
      this.#bill(id, [], price);
      return { ending: answered(429), refusal: { waitMs: usedUpMs, usedUp: "account" } };
    }
    if (falls(limited)) {
      this.#bill(id, [], price);
      if (chance.chance(0.3)) return { ending: answered(529), refusal };
      const waitMs = 1000 * (5 + chance.below(chance.chance(0.1) ? 1200 : 120));
      return { ending: answered(429), refusal: { waitMs, usedUp: undefined } };
    }
    if (falls(fails)) {
      this.#bill(id, [], price);
      return { ending: answered(500), refusal };
    }
    const usage = this.#usage(request);
    this.#bill(id, [usage], price);
    if (falls(silent)) return { ending: { is: "no status", why: "connection reset" }, refusal };
    const start = { ...usage, output: 1 };
    if (falls(cut)) return { ending: answered(200, chance.chance(0.7) ? start : undefined), refusal };
    return { ending: answered(200, start, usage), refusal };
  }

  /** Anything up to the bound, and now and then exactly that. */
  #usage(request: MessagesRequest): Usage {
    const chance = this.#chance;
    const bytes = bytesOf(request);
    const part = (): number => (chance.chance(0.1) ? 1 : chance.next());
    const prompt = Math.floor(bytes * part()) + Math.floor(ADDED_TOKENS_MAX * part());
    const caches = request.cache_control !== undefined;
    const cacheWrite5m = caches ? Math.floor(prompt * part()) : 0;
    const cacheRead = Math.floor((prompt - cacheWrite5m) * chance.next());
    return {
      input: prompt - cacheWrite5m - cacheRead,
      cacheRead,
      cacheWrite5m,
      cacheWrite1h: 0,
      output: Math.floor(request.max_tokens * part()),
    };
  }

  /** Has the account pay for a request. */
  bill(id: string, bill: Bill): void {
    this.#bills.set(id, bill);
    this.onBill(id);
  }

  #bill(id: string, usages: readonly Usage[], price: Price): void {
    this.bill(id, { cost: costOf(usages, price), tokens: tokensOf(sumOf(usages)) });
  }
}

/** Bytes of `request` as JSON. Sessions here send long texts of letters that JSON writes as they are, a byte each. */
function bytesOf(request: MessagesRequest): number {
  const texts = request.messages.map(({ content }) => (typeof content === "string" ? content : ""));
  const messages = request.messages.map((message, at) => (texts[at] ? { ...message, content: "" } : message));
  const ofTexts = texts.reduce((sum, text) => sum + text.length, 0);
  return Buffer.byteLength(JSON.stringify({ ...request, messages })) + ofTexts;
}
