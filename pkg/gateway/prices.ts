/** What tokens cost. Integer arithmetic in nano-dollars; what does not divide is rounded up. */
import type { NanoUSD } from "./money.ts";
import table from "./prices.json" with { type: "json" };
import { type CacheLifetime, promptTokensOf, type Usage } from "./usage.ts";

/** A row of the price file: USD per million tokens. */
export interface PriceRow {
  model: string;
  /** Dated ids of the same model. */
  aliases: readonly string[];
  /** Prompt size, in tokens, from which this row holds. */
  fromPromptTokens: number;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: Record<CacheLifetime, number>;
  /** Where the numbers are from, and when they were read. */
  source: string;
  date: string;
}

/** Nano-dollars for one token, of prompts of at least `fromPromptTokens` tokens. */
export interface PriceStep {
  fromPromptTokens: number;
  input: NanoUSD;
  output: NanoUSD;
  cacheRead: NanoUSD;
  cacheWrite5m: NanoUSD;
  cacheWrite1h: NanoUSD;
}

/** The price of one model, kept with each reservation: the price in force then is the one that settles it. */
export interface Price {
  /** Name in the price file. */
  model: string;
  /** At least one, by growing prompt size, the first from 0. */
  steps: readonly PriceStep[];
  /** For admitted fields that make a request dearer; 1 otherwise. */
  factor: number;
}

/** The price of `model`, by its name or a dated id of it. Undefined when no row has it: not to be forwarded. */
export function priceOf(
  model: string,
  factor = 1,
  rows: readonly PriceRow[] = table.rows,
): Price | undefined {
  const steps = rows.filter((row) => row.model === model || row.aliases.includes(model));
  const [first] = steps;
  if (first === undefined) return undefined;
  return {
    model: first.model,
    steps: steps.map(perToken).sort((a, b) => a.fromPromptTokens - b.fromPromptTokens),
    factor,
  };
}

/** The names of all models that have a price, as the price file has them. */
export function pricedModels(rows: readonly PriceRow[] = table.rows): readonly string[] {
  return [...new Set(rows.map(({ model }) => model))];
}

/** What `usages` cost: each by the step of its own prompt size, rounded up to a whole nano-dollar. */
export function costOf(usages: readonly Usage[], price: Price): NanoUSD {
  let sum = 0;
  for (const usage of usages) {
    const step = stepFor(promptTokensOf(usage), price);
    sum +=
      usage.input * step.input +
      usage.cacheRead * step.cacheRead +
      usage.cacheWrite5m * step.cacheWrite5m +
      usage.cacheWrite1h * step.cacheWrite1h +
      usage.output * step.output;
  }
  return Math.ceil(sum * price.factor);
}

/**
 * The most that `inputTokens` and `outputTokens` can cost, whatever the prompt's size turns out to be below that and
 * however much of it is written to a cache that lives at most `writes`.
 *
 * @param writes - undefined when the request can write to no cache
 */
export function mostOf(
  {
    inputTokens,
    outputTokens,
    writes,
  }: { inputTokens: number; outputTokens: number; writes: CacheLifetime | undefined },
  price: Price,
): NanoUSD {
  const costs = price.steps
    .filter((step) => step.fromPromptTokens <= inputTokens)
    .map((step) => inputTokens * dearestInput(step, writes) + outputTokens * step.output);
  return Math.ceil(Math.max(...costs) * price.factor);
}

/** The dearest output price that a prompt of at most `inputTokens` can have, for one token. */
export function dearestOutput(inputTokens: number, price: Price): NanoUSD {
  return Math.ceil(
    Math.max(
      ...price.steps.filter((step) => step.fromPromptTokens <= inputTokens).map((step) => step.output),
    ) * price.factor,
  );
}

function dearestInput(step: PriceStep, writes: CacheLifetime | undefined): NanoUSD {
  const possible = [step.input, step.cacheRead];
  if (writes !== undefined) possible.push(step.cacheWrite5m);
  if (writes === "1h") possible.push(step.cacheWrite1h);
  return Math.max(...possible);
}

function stepFor(promptTokens: number, price: Price): PriceStep {
  const step = price.steps.findLast((one) => one.fromPromptTokens <= promptTokens);
  if (step === undefined)
    throw new Error(`The price of ${price.model} has no step for ${promptTokens} tokens.`);
  return step;
}

function perToken(row: PriceRow): PriceStep {
  return {
    fromPromptTokens: row.fromPromptTokens,
    input: nanoPerToken(row.input),
    output: nanoPerToken(row.output),
    cacheRead: nanoPerToken(row.cacheRead),
    cacheWrite5m: nanoPerToken(row.cacheWrite["5m"]),
    cacheWrite1h: nanoPerToken(row.cacheWrite["1h"]),
  };
}

/** One dollar a million tokens is a thousand nano-dollars a token; binary fractions (0.1 * 1000) are no reason to round. */
function nanoPerToken(usdPerMillion: number): NanoUSD {
  return Math.ceil(usdPerMillion * 1000 - 1e-9);
}
