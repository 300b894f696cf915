/** What a Project may cost, told from its size and from what finished ones did cost. Pure. */
import type { Project, ProjectEstimate } from "../../pkg/api/generated.ts";

/** A finished Project: how large it was, and what the ledger has for it. */
export interface Finished {
  size: number;
  usd: number;
  tokens: number;
}

/** With fewer nothing is said: the range of two would hold the third in one of three cases. */
const FINISHED_MIN = 3;
/** Prices, models and the repository change: what is older says less. */
const FINISHED_MAX = 50;
/** What of the past may lie outside of the range, at each end. */
const TAIL = 0.1;
/** Characters of a description that make work like one more task. */
const CHARACTERS_PER_UNIT = 1_000;

/**
 * Size in units: one for looking around and handing over, one for each task, one for each criterion that is shown and
 * judged, one for each 1,000 characters of the description. It need not be right: what it misses is in the range.
 */
export function sizeOf({ spec }: Pick<Project, "spec">): number {
  const { tasks = [], acceptanceCriteria = [], description = "" } = spec;
  return 1 + tasks.length + acceptanceCriteria.length + description.length / CHARACTERS_PER_UNIT;
}

/**
 * What a Project of `size` will cost in all, reviews and rework included, and how far that is to be trusted.
 *
 * Each finished Project gives a ratio, what it cost for a unit of size. The estimate is their median times `size`; the
 * range goes from the k-th smallest to the k-th largest of them, k a tenth of n + 1 but at least 1. The next ratio is as
 * likely to fall into any of the n + 1 gaps between n earlier ones, so that range holds it with a probability of
 * (n + 1 - 2k) / (n + 1), whatever the ratios' distribution, as long as the next Project is of the same kind as those
 * before it: 50 % for 3, 75 % for 7, 80 % from 9 on. That is stated as `coveragePercent`, rounded down.
 *
 * @param history - finished Projects, the newest first; the first 50 count
 * @returns undefined with fewer than 3: no price list tells how much work a Project is, so there is no prior
 * @see S. S. Wilks, "Determination of Sample Sizes for Setting Tolerance Limits", 1941, for the range;
 *   V. Vovk et al., "Algorithmic Learning in a Random World", 2005, chapter 2, for why it holds (conformal prediction
 *   with the ratio as score)
 */
export function estimate(size: number, history: readonly Finished[]): ProjectEstimate | undefined {
  const known = history.slice(0, FINISHED_MAX);
  if (known.length < FINISHED_MIN) return undefined;
  const usd = rangeOf(known.map((one) => one.usd / one.size));
  const tokens = rangeOf(known.map((one) => one.tokens / one.size));
  const gaps = known.length + 1;
  return {
    usd: cents(usd.about * size),
    lowUSD: cents(usd.low * size),
    highUSD: cents(usd.high * size),
    tokens: Math.round(tokens.about * size),
    lowTokens: Math.floor(tokens.low * size),
    highTokens: Math.ceil(tokens.high * size),
    coveragePercent: Math.floor((100 * (gaps - 2 * tailOf(known.length))) / gaps),
    projects: known.length,
  };
}

/** Amounts that differ by less than this share of the larger say the same. */
const SAME_SHARE = 0.1;
/** So do percentages of coverage less than this apart: each Project that is finished moves them all by some points. */
const SAME_POINTS = 10;

/** The estimate to tell: the one that was told, as long as `fresh` says nearly the same. Each write wakes every watcher. */
export function kept(
  told: ProjectEstimate | undefined,
  fresh: ProjectEstimate | undefined,
): ProjectEstimate | undefined {
  if (told === undefined || fresh === undefined) return fresh;
  const amounts = ["usd", "lowUSD", "highUSD", "tokens", "lowTokens", "highTokens"] as const;
  const isSame = (key: (typeof amounts)[number]): boolean =>
    Math.abs(told[key] - fresh[key]) <= SAME_SHARE * Math.max(told[key], fresh[key]);
  const isTrustedAlike = Math.abs(told.coveragePercent - fresh.coveragePercent) < SAME_POINTS;
  return isTrustedAlike && amounts.every(isSame) ? told : fresh;
}

/** How many of `count` ratios lie at or beyond each end of the range. */
function tailOf(count: number): number {
  return Math.max(1, Math.floor((count + 1) * TAIL));
}

function rangeOf(ratios: readonly number[]): Record<"about" | "low" | "high", number> {
  const sorted = [...ratios].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? 0;
  const half = (sorted.length - 1) / 2;
  const tail = tailOf(sorted.length);
  return {
    about: (at(Math.floor(half)) + at(Math.ceil(half))) / 2,
    low: at(tail - 1),
    high: at(sorted.length - tail),
  };
}

/** Hundredths of a cent: what is less says nothing. */
const cents = (usd: number): number => Math.round(usd * 10_000) / 10_000;
