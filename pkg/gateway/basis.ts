/** What a settled request says about the next one of its session: how many tokens its messages really were. */
import { createHash } from "node:crypto";
import type { Block, Message, MessagesRequest } from "./messages-request.ts";
import { sumOf, tokensOf, type Usage } from "./usage.ts";

export interface Basis {
  /** Of everything but the messages that decides how many tokens a prompt has. */
  shape: string;
  /** One digest a message, in order. */
  messages: readonly string[];
  /** Input, cache read and write, and output of that request. */
  tokens: number;
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
  return {
    shape: shapeOf(request),
    messages: request.messages.map(digestOfMessage),
    tokens: tokensOf(sumOf(usages)),
  };
}

/**
 * The part of `request` that the latest fitting one of `bases` has measured: the number of its messages, and their
 * tokens together with system and tools. Fitting is one with the same model, system, tools and all else that a prompt
 * is made from, whose messages are a prefix. Cache breakpoints move from request to request and make no difference.
 *
 * @param bases - the latest first
 * @returns undefined when none fits
 */
export function measuredPrefix(
  request: MessagesRequest,
  bases: readonly Basis[],
): { messages: number; tokens: number } | undefined {
  if (bases.length === 0) return undefined;
  const { shape, messages } = basisOf(request, []);
  const basis = bases.find(
    (one) => one.shape === shape && one.messages.every((digest, i) => messages[i] === digest),
  );
  return basis && { messages: basis.messages.length, tokens: basis.tokens };
}

/** Bases kept for one session: as many conversations as one may hold at the same time, sub-agents' included. */
const BASES_MAX = 16;

/** What is known of the settled requests of each session. */
export class Bases {
  readonly #bases = new Map<string, readonly Basis[]>();

  /** Those of `session`, the latest first. */
  of(session: string): readonly Basis[] {
    return this.#bases.get(session) ?? [];
  }

  add(session: string, basis: Basis): void {
    this.#bases.set(session, [basis, ...this.of(session)].slice(0, BASES_MAX));
  }

  forget(session: string): void {
    this.#bases.delete(session);
  }
}

function shapeOf(request: MessagesRequest): string {
  const prompt = Object.entries(request)
    .filter(([field]) => !OUTSIDE_THE_PROMPT.includes(field))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([field, value]) => [field, withoutBreakpoints(value)]);
  return digest(prompt);
}

function digestOfMessage(message: Message): string {
  return digest({ ...message, content: withoutBreakpoints(message.content) });
}

/** Blocks and tools without their `cache_control`, at every depth where the API allows one. */
function withoutBreakpoints(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((item: Block) => {
    if (typeof item !== "object" || item === null) return item;
    const { cache_control: _, ...rest } = item;
    return Array.isArray(rest.content) ? { ...rest, content: withoutBreakpoints(rest.content) } : rest;
  });
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64");
}
