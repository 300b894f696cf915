/** What a request cost, from what was seen of its answer. */
import type { NanoUSD } from "./money.ts";
import { costOf, type Price } from "./prices.ts";
import { type CacheLifetime, sumOf, tokensOf, type Usage, usagesOf } from "./usage.ts";

/** How far a request came. */
export type Ending =
  /** It failed before the first byte of its body was sent. */
  | { is: "not sent"; why: string }
  /** Its body was sent, at least in part, and no status came. */
  | { is: "no status"; why: string }
  /** A status came; the answer ended, was cut, or was left unread. */
  | { is: "answered"; status: number; seen: Seen; upstreamId?: string };

/** What an answer said about usage. */
export interface Seen {
  /** From `message_start`. */
  start: readonly Usage[] | undefined;
  /** Reported at the end. Undefined when the answer did not come that far. */
  final: readonly Usage[] | undefined;
  /** Part of the context was cleared by the API: these tokens say nothing about the next request. */
  contextEdited: boolean;
}

/** The reservation that a request is settled against. */
export interface Reservation {
  cost: NanoUSD;
  tokens: number;
  maxTokens: number;
  price: Price;
}

export type Settlement =
  | { is: "released"; why: string }
  | { is: "settled"; status: number; usage: Usage; usages: readonly Usage[]; cost: NanoUSD; tokens: number }
  | { is: "unsettled"; why: string; cost: NanoUSD; tokens: number };

/** The settlement of a request that ended so. */
export function settle(ending: Ending, reservation: Reservation): Settlement {
  if (ending.is === "not sent") return { is: "released", why: ending.why };
  const whole = { cost: reservation.cost, tokens: reservation.tokens };
  if (ending.is === "no status") return { is: "unsettled", why: ending.why, ...whole };

  const { status, seen } = ending;
  if (status >= 400) return settled(status, [], reservation);
  if (status !== 200) return { is: "unsettled", why: `status ${status} says nothing about usage`, ...whole };
  if (seen.final !== undefined) return settled(status, seen.final, reservation);
  const why = "the answer ended without its final usage";
  if (seen.start === undefined) return { is: "unsettled", why, ...whole };
  const most = [{ ...sumOf(seen.start), output: reservation.maxTokens }];
  return { is: "unsettled", why, cost: costOf(most, reservation.price), tokens: tokensOf(sumOf(most)) };
}

/** Whether more was used than was reserved: the bound is wrong, and nothing more may be spent on its word. */
export function violates(settlement: Settlement, { cost, tokens }: Reservation): boolean {
  return settlement.is !== "released" && (settlement.cost > cost || settlement.tokens > tokens);
}

function settled(status: number, usages: readonly Usage[], { price }: Reservation): Settlement {
  const usage = sumOf(usages);
  return { is: "settled", status, usage, usages, cost: costOf(usages, price), tokens: tokensOf(usage) };
}

/** Watches the bytes of an answer go by and keeps what they say about usage. */
export interface Observer {
  push(chunk: Buffer): void;
  /** The answer is over. */
  end(): void;
  /** The stream has said that its message is complete: nothing about usage follows. */
  readonly isComplete: boolean;
  readonly seen: Seen;
}

/** The most of an answer without line breaks that is kept, in bytes; a longer one has no usage that can be read. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * @param contentType - of the answer: an event stream, or one JSON object
 * @param writes - the longest-lived cache that the request may write to
 */
export function observe(contentType: string, writes: CacheLifetime): Observer {
  return contentType.startsWith("text/event-stream") ? new StreamObserver(writes) : new BodyObserver(writes);
}

class BodyObserver implements Observer {
  readonly #writes: CacheLifetime;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  readonly isComplete = false;
  seen: Seen = { start: undefined, final: undefined, contextEdited: false };

  constructor(writes: CacheLifetime) {
    this.#writes = writes;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= KEPT_BYTES_MAX) this.#chunks.push(chunk);
  }

  end(): void {
    const body = parsed(Buffer.concat(this.#chunks).toString("utf8"));
    if (body === undefined) return;
    const final = usagesOf(body.usage, this.#writes);
    this.seen = { start: undefined, final, contextEdited: wasEdited(body.context_management) };
  }
}

/**
 * Usage of a stream: `message_start` has the input's, each `message_delta` the counts so far, not an addition: a later
 * number replaces an earlier one. They are final when the message says why it stopped, or that it has.
 */
class StreamObserver implements Observer {
  readonly #writes: CacheLifetime;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #start: Record<string, unknown> | undefined;
  #latest: Record<string, unknown> = {};
  #counted = false;
  isComplete = false;
  seen: Seen = { start: undefined, final: undefined, contextEdited: false };

  constructor(writes: CacheLifetime) {
    this.#writes = writes;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > KEPT_BYTES_MAX) this.#rest = "";
    for (const line of lines) this.#line(line);
  }

  end(): void {
    this.#line(this.#rest);
    this.#rest = "";
  }

  #line(line: string): void {
    // Of the many events of a stream only these have usage; the rest is not worth parsing.
    if (!line.startsWith("data:") || !/"message_(start|delta|stop)"/.test(line)) return;
    const event = parsed(line.slice("data:".length));
    if (event?.type === "message_start") this.#onStart(event);
    if (event?.type === "message_delta") this.#onDelta(event);
    if (event?.type === "message_stop") {
      this.isComplete = true;
      if (this.#counted) this.#finish();
    }
  }

  #onStart(event: Record<string, unknown>): void {
    const message = recordOf(event.message);
    this.#start ??= recordOf(message?.usage);
    this.seen = { ...this.seen, start: usagesOf(this.#start, this.#writes) };
  }

  #onDelta(event: Record<string, unknown>): void {
    const usage = recordOf(event.usage);
    if (usage !== undefined) {
      const reported = Object.entries(usage).filter(([, value]) => value !== null && value !== undefined);
      this.#latest = { ...this.#latest, ...Object.fromEntries(reported) };
      this.#counted ||= typeof usage.output_tokens === "number";
    }
    if (wasEdited(event.context_management)) this.seen = { ...this.seen, contextEdited: true };
    const stopped = typeof recordOf(event.delta)?.stop_reason === "string";
    if (this.#counted && (stopped || this.seen.final !== undefined)) this.#finish();
  }

  #finish(): void {
    this.seen = { ...this.seen, final: usagesOf({ ...this.#start, ...this.#latest }, this.#writes) };
  }
}

function wasEdited(contextManagement: unknown): boolean {
  const edits = recordOf(contextManagement)?.applied_edits;
  return Array.isArray(edits) && edits.length > 0;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return recordOf(JSON.parse(text));
  } catch {
    // What is no JSON says nothing about usage; the request then ends unsettled.
    return undefined;
  }
}

function recordOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
