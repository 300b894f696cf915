import { NANO_PER_USD, type NanoUSD } from "../gateway/money.ts";
import type { InputUsage } from "./prompt-cache.ts";

/** All tokens of one answer. */
export interface BilledUsage extends InputUsage {
  output: number;
}

/** USD for a million tokens: input, output, cache read, cache write for 5 minutes, for 1 hour. */
type Price = readonly [number, number, number, number, number];

/**
 * The rehearsal's own price list, so that the gateway's ledger is checked against a second opinion. List prices as
 * the Claude Code CLI 2.1.330 has them (November 2026).
 */
const prices: readonly (readonly [RegExp, Price])[] = [
  [/^claude-(fable|mythos)-5-2$/, [8, 40, 0.2, 10, 16]],
  [/^claude-fable-5$/, [10, 50, 1, 12.5, 20]],
  [/^claude-opus-5-5$/, [4, 20, 0.2, 5, 8]],
  [/^claude-opus-(5|4-[5-8])(-\d{8})?$/, [5, 25, 0.5, 6.25, 10]],
  [/^claude-sonnet-5-5$/, [2, 10, 0.1, 2.5, 4]],
  [/^claude-sonnet-5$/, [2, 10, 0.2, 2.5, 4]],
  [/^claude-sonnet-4-[56](-\d{8})?$/, [3, 15, 0.3, 3.75, 6]],
  [/^claude-haiku-5-5$/, [0.1, 0.5, 0.01, 0.125, 0.2]],
  [/^claude-haiku-4-5(-\d{8})?$/, [1, 5, 0.1, 1.25, 2]],
];

/** claude-haiku-5-5 costs five times as much for prompts from this size on. */
const LARGE_PROMPT_TOKENS = 300_000;

/** What an answer of `model` costs; undefined when the list has no such model. */
export function costOf(model: string, usage: BilledUsage): NanoUSD | undefined {
  const price = prices.find(([name]) => name.test(model))?.[1];
  if (price === undefined) return undefined;
  const tokens = [usage.input, usage.output, usage.cacheRead, usage.cacheWrite5m, usage.cacheWrite1h];
  const prompt = usage.input + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h;
  const factor = model === "claude-haiku-5-5" && prompt >= LARGE_PROMPT_TOKENS ? 5 : 1;
  const nanoPerToken = price.map((usd) => Math.round((usd * factor * NANO_PER_USD) / 1_000_000));
  return tokens.reduce((sum, count, index) => sum + count * (nanoPerToken[index] ?? 0), 0);
}
