/** What a request used, in tokens, read from the `usage` objects of the Messages API. */

export type CacheLifetime = "5m" | "1h";

/** Tokens by what they cost. All are whole numbers of at least 0 and none is counted in another. */
export interface Usage {
  input: number;
  cacheRead: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
  output: number;
}

export const NO_USAGE: Usage = { input: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 0 };

/**
 * The samplings that a `usage` object reports: its `iterations` where there are any, else itself. Each is priced by
 * its own prompt size.
 *
 * @param writesLiveAtMost - lifetime assumed for cache writes that `cache_creation` does not break down
 * @returns undefined when `usage` is not such an object, or has no input_tokens
 */
export function usagesOf(usage: unknown, writesLiveAtMost: CacheLifetime): readonly Usage[] | undefined {
  if (!isRecord(usage)) return undefined;
  if (Array.isArray(usage.iterations) && usage.iterations.length > 0) {
    const iterations = usage.iterations.map((one) => oneUsage(one, writesLiveAtMost));
    return iterations.every((one) => one !== undefined) ? iterations : undefined;
  }
  const one = oneUsage(usage, writesLiveAtMost);
  return one === undefined ? undefined : [one];
}

/** Every token of `usage`, whatever it costs. */
export function tokensOf(usage: Usage): number {
  return promptTokensOf(usage) + usage.output;
}

/** The tokens that came before the answer: what a price step goes by. */
export function promptTokensOf(usage: Usage): number {
  return usage.input + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h;
}

export function sumOf(usages: readonly Usage[]): Usage {
  return usages.reduce(
    (sum, one) => ({
      input: sum.input + one.input,
      cacheRead: sum.cacheRead + one.cacheRead,
      cacheWrite5m: sum.cacheWrite5m + one.cacheWrite5m,
      cacheWrite1h: sum.cacheWrite1h + one.cacheWrite1h,
      output: sum.output + one.output,
    }),
    NO_USAGE,
  );
}

function oneUsage(usage: unknown, writesLiveAtMost: CacheLifetime): Usage | undefined {
  if (!isRecord(usage) || !isCount(usage.input_tokens)) return undefined;
  const written = count(usage.cache_creation_input_tokens);
  const detail = isRecord(usage.cache_creation) ? usage.cache_creation : {};
  const detail5m = count(detail.ephemeral_5m_input_tokens);
  const detail1h = count(detail.ephemeral_1h_input_tokens);
  const unexplained = Math.max(0, written - detail5m - detail1h);
  return {
    input: usage.input_tokens,
    cacheRead: count(usage.cache_read_input_tokens),
    cacheWrite5m: detail5m + (writesLiveAtMost === "5m" ? unexplained : 0),
    cacheWrite1h: detail1h + (writesLiveAtMost === "1h" ? unexplained : 0),
    output: count(usage.output_tokens),
  };
}

function count(value: unknown): number {
  return isCount(value) ? value : 0;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
