/** What a settled request says about the next one of its session: how many tokens its messages really were. */
import { hash } from "node:crypto";
import { type Message, type MessagesRequest, textOf, withoutCacheControl } from "./messages-request.ts";
import { promptTokensOf, sumOf, type Usage } from "./usage.ts";

/** Small enough to stand in the ledger, so that it holds over a restart of the gateway. */
export interface Basis {
  /** Of everything but the messages that decides how many tokens a prompt has. */
  shape: string;
  /** How many messages the request had. */
  messages: number;
  /** Of all of them, in order. */
  digest: string;
  /** Input, cache read and write of that request. */
  promptTokens: number;
  outputTokens: number;
}

/** Fields that change the answer or the bill, but not the tokens of the prompt. */
const OUTSIDE_THE_PROMPT = [
  "messages",
  "max_tokens",
  "stream",
  "metadata",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences",
  "cache_control",
  "service_tier",
];

/** What can be said of requests that go on from `request`, which used `usages`. */
export function basisOf(request: MessagesRequest, usages: readonly Usage[]): Basis {
  const used = sumOf(usages);
  return {
    shape: digestsOf(request).shape,
    messages: request.messages.length,
    digest: digestsOf(request).messages.at(-1) ?? "",
    promptTokens: promptTokensOf(used),
    outputTokens: used.output,
  };
}

/**
 * The latest of `bases` that has measured a part of `request`: one with the same model, system, tools and all else that
 * a prompt is made from, whose messages are a prefix. Cache breakpoints move from request to request and make no
 * difference.
 *
 * @param bases - the latest first
 * @returns undefined when none fits
 */
export function measuredPrefix(request: MessagesRequest, bases: readonly Basis[]): Basis | undefined {
  if (bases.length === 0) return undefined;
  const { shape, messages } = digestsOf(request);
  return bases.find((one) => one.shape === shape && messages[one.messages - 1] === one.digest);
}

/** Bases kept for one session: as many conversations as one may hold at the same time, sub-agents' included. */
const BASES_MAX = 16;
/** Sessions that bases are kept for: more than ever live at once. */
const SESSIONS_MAX = 100;

/** What is known of the settled requests of the sessions that spent last. */
export class Bases {
  readonly #bases = new Map<string, readonly Basis[]>();

  /** Those of `session`, the latest first. */
  of(session: string): readonly Basis[] {
    return this.#bases.get(session) ?? [];
  }

  add(session: string, basis: Basis): void {
    const bases = [basis, ...this.of(session)].slice(0, BASES_MAX);
    // Taken out first, so that the map has them by their last settlement.
    this.#bases.delete(session);
    this.#bases.set(session, bases);
    const [oldest] = this.#bases.keys();
    if (this.#bases.size > SESSIONS_MAX && oldest !== undefined) this.#bases.delete(oldest);
  }

  /** By session, in the order of their last settlement. */
  [Symbol.iterator](): IterableIterator<[string, readonly Basis[]]> {
    return this.#bases[Symbol.iterator]();
  }
}

interface Digests {
  shape: string;
  /** One a message: of it and all before it. */
  messages: readonly string[];
}

/** Asked when a request is bounded and when it is settled: a long conversation has half a megabyte. */
const known = new WeakMap<MessagesRequest, Digests>();

function digestsOf(request: MessagesRequest): Digests {
  const digests = known.get(request) ?? { shape: shapeOf(request), messages: digestsOfMessages(request) };
  known.set(request, digests);
  return digests;
}

function shapeOf(request: MessagesRequest): string {
  const prompt = Object.entries(request)
    .filter(([field]) => !OUTSIDE_THE_PROMPT.includes(field))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([field, value]) => [field, withoutCacheControl(value)]);
  return digest(JSON.stringify(prompt));
}

function digestsOfMessages({ messages }: MessagesRequest): string[] {
  let before = "";
  return messages.map((message) => {
    before = digest(`[${JSON.stringify(before)},${plainTextOf(message)}]`);
    return before;
  });
}

/** `message` as JSON, without its cache breakpoints. */
function plainTextOf(message: Message): string {
  const content = withoutCacheControl(message.content);
  return content === message.content ? textOf(message) : JSON.stringify({ ...message, content });
}

function digest(text: string): string {
  return hash("sha256", text, "base64");
}
