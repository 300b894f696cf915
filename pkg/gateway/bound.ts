/** The most a request can use, known before it is sent. Pure. */
import type { Basis } from "./basis.ts";
import { measuredPrefix } from "./basis.ts";
import {
  type Block,
  blocksOf,
  bytesWithoutImages,
  cacheLifetimeOf,
  type MessagesRequest,
  thinkingBudget,
} from "./messages-request.ts";
import type { NanoUSD } from "./money.ts";
import { dearestOutput, mostOf, type Price } from "./prices.ts";
import type { CacheLifetime } from "./usage.ts";

/** Tokens for one image, whatever its bytes. */
export const IMAGE_TOKENS = 5_000;
/** What the API may add around messages that follow a settled request, in tokens. */
export const MARGIN_AFTER_PREFIX = 2_000;
/** What the API may add around a whole request, in tokens. */
export const MARGIN_ALONE = 10_000;
/** `max_tokens` is not lowered beneath this for want of money: an answer cut so short is wasted. */
export const OUTPUT_FLOOR = 2_000;

/** Upper bounds of one request. */
export interface Bound {
  /** Tokens of the prompt: fresh, read from a cache and written to one. */
  inputTokens: number;
  /** Tokens of the answer: `max_tokens`. */
  outputTokens: number;
  tokens: number;
  cost: NanoUSD;
}

/** How the bound of one request depends on the `max_tokens` it will be sent with. */
export interface Bounds {
  inputTokens: number;
  /** The most output that may be asked for: what the request wants, lowered to what its session may. */
  wantedOutput: number;
  /** The least output it may be lowered to when money is short. */
  leastOutput: number;
  with(outputTokens: number): Bound;
  /** The largest bound between least and wanted output that fits in `cost` and `tokens`; undefined when none does. */
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
  const withOutput = (outputTokens: number): Bound => ({
    inputTokens,
    outputTokens,
    tokens: inputTokens + outputTokens,
    cost: mostOf({ inputTokens, outputTokens, writes }, price),
  });
  return {
    inputTokens,
    wantedOutput,
    leastOutput,
    with: withOutput,
    within({ cost, tokens }) {
      const outputPrice = dearestOutput(inputTokens, price);
      const affordable = Math.floor((cost - withOutput(0).cost) / outputPrice);
      const output = Math.min(wantedOutput, affordable, tokens - inputTokens);
      if (output < leastOutput) return undefined;
      const bound = withOutput(output);
      return bound.cost <= cost && bound.tokens <= tokens ? bound : undefined;
    },
  };
}

function inputBound(request: MessagesRequest, bases: readonly Basis[]): number {
  const prefix = measuredPrefix(request, bases);
  if (prefix !== undefined) {
    const after = request.messages.slice(prefix.messages);
    return prefix.tokens + tokensOfBytes(after, { messages: after }) + MARGIN_AFTER_PREFIX;
  }
  return tokensOfBytes(request, request) + MARGIN_ALONE;
}

function tokensOfBytes(value: unknown, within: Pick<MessagesRequest, "messages" | "system">): number {
  const images: Block[] = [...blocksOf(within)].filter((block) => block.type === "image");
  return bytesWithoutImages(value, images) + images.length * IMAGE_TOKENS;
}
