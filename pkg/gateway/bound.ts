/** The most a request can use, known before it is sent. Pure. */
import type { Basis } from "./basis.ts";
import { measuredPrefix } from "./basis.ts";
import {
  type Block,
  blocksOf,
  bytesOfMessages,
  bytesOfRequest,
  cacheLifetimeOf,
  imageBytes,
  type Message,
  type MessagesRequest,
  thinkingBudget,
} from "./messages-request.ts";
import type { NanoUSD } from "./money.ts";
import { dearestOutput, mostOf, type Price } from "./prices.ts";
import type { CacheLifetime } from "./usage.ts";

/** Tokens for one image, whatever its bytes. */
const IMAGE_TOKENS = 5_000;
/** What the API may add around messages that follow a settled request, in tokens. */
const MARGIN_AFTER_PREFIX = 2_000;
/** What the API may add around a whole request, in tokens. */
const MARGIN_ALONE = 10_000;
/** `max_tokens` is not lowered beneath this for want of money: an answer cut so short is wasted. */
const OUTPUT_FLOOR = 2_000;

/** Upper bounds of one request. */
export interface Bound {
  /** Tokens of the prompt: fresh, read from a cache and written to one. */
  inputTokens: number;
  /** Tokens of the answer: `max_tokens`. */
  outputTokens: number;
  tokens: number;
  cost: NanoUSD;
  /** Whether it may write to a cache as it asks to; if not, it is sent without its breakpoints. */
  caching: boolean;
}

/** How the bound of one request depends on the `max_tokens` it will be sent with. */
export interface Bounds {
  inputTokens: number;
  /** The most output that may be asked for: what the request wants, lowered to what its session may. */
  wantedOutput: number;
  /** The least output it may be lowered to when money is short. */
  leastOutput: number;
  /** Of the request as it is, its caching included. */
  with(outputTokens: number): Bound;
  /** The least that the request can be made to need: the least output, and no caching. */
  least: Bound;
  /**
   * The bound that fits in `cost` and `tokens`, with the largest output between least and wanted; without caching only
   * where none with it fits: writing a prompt to a cache costs a quarter more than reading it once, so that the last
   * money before a limit can still be spent. Undefined when none fits.
   */
  within(room: { cost: NanoUSD; tokens: number }): Bound | undefined;
}

/**
 * Bounds `request`, which has passed admission.
 *
 * A token stands for at least one byte of the body, so bytes bound tokens. Where the messages of a settled
 * request of the session are a prefix, its measured tokens take the place of those bytes.
 *
 * @param bases - settled requests of the session, the latest first
 */
export function boundsOf(
  request: MessagesRequest,
  { price, bases, maxOutputTokens }: { price: Price; bases: readonly Basis[]; maxOutputTokens: number },
): Bounds {
  const inputTokens = inputBound(request, bases);
  const writes: CacheLifetime | undefined = cacheLifetimeOf(request);
  const wantedOutput = Math.min(request.max_tokens, maxOutputTokens);
  const leastOutput = Math.min(wantedOutput, Math.max(OUTPUT_FLOOR, thinkingBudget(request) + 1));
  const bound = (outputTokens: number, caching: boolean): Bound => ({
    inputTokens,
    outputTokens,
    tokens: inputTokens + outputTokens,
    cost: mostOf({ inputTokens, outputTokens, writes: caching ? writes : undefined }, price),
    caching,
  });
  const fitting = (
    { cost, tokens }: { cost: NanoUSD; tokens: number },
    caching: boolean,
  ): Bound | undefined => {
    const affordable = Math.floor((cost - bound(0, caching).cost) / dearestOutput(inputTokens, price));
    const output = Math.min(wantedOutput, affordable, tokens - inputTokens);
    if (output < leastOutput) return undefined;
    const found = bound(output, caching);
    return found.cost <= cost && found.tokens <= tokens ? found : undefined;
  };
  return {
    inputTokens,
    wantedOutput,
    leastOutput,
    with: (outputTokens) => bound(outputTokens, true),
    least: bound(leastOutput, false),
    within: (room) => fitting(room, true) ?? (writes === undefined ? undefined : fitting(room, false)),
  };
}

function inputBound(request: MessagesRequest, bases: readonly Basis[]): number {
  const prefix = measuredPrefix(request, bases);
  if (prefix !== undefined) {
    const after = request.messages.slice(prefix.messages);
    // The answer is among them as a message, whose bytes bound it; but what the model thought comes back shortened.
    const thought = hasThinking(after) ? prefix.outputTokens : 0;
    const added = tokensOfBytes(bytesOfMessages(after), { messages: after });
    return prefix.promptTokens + thought + added + MARGIN_AFTER_PREFIX;
  }
  return tokensOfBytes(bytesOfRequest(request), request) + MARGIN_ALONE;
}

function hasThinking(messages: readonly Message[]): boolean {
  return [...blocksOf({ messages })].some(({ type }) => /^(redacted_)?thinking$/.test(type));
}

function tokensOfBytes(bytes: number, within: Pick<MessagesRequest, "messages" | "system">): number {
  const images: Block[] = [...blocksOf(within)].filter((block) => block.type === "image");
  return bytes - imageBytes(images) + images.length * IMAGE_TOKENS;
}
