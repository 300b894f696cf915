/** How fast a window is being spent, and when nothing will be left if that goes on. Pure. */
import type { NanoUSD } from "../../../pkg/gateway/money.ts";
import type { Entry } from "./report.ts";

export interface Burn {
  /** What it is told from: the last hour of the window, or what has passed of the window since its first request. */
  spanMs: number;
  /** Charged to requests that were reserved in the span. */
  cost: NanoUSD;
  tokens: number;
  /** Wall time at which nothing is left; undefined where the window is over before. */
  exhaustedMs: number | undefined;
}

/** The longest span, in milliseconds. */
const SPAN_MS = 3_600_000;
/** The shortest: the first request of a window is no rate. */
const SPAN_MS_MIN = 300_000;

export function burnOf(
  requests: readonly Entry[],
  {
    nowMs,
    startMs,
    endMs,
    left,
  }: {
    nowMs: number;
    startMs: number;
    endMs: number;
    left: { cost: NanoUSD | undefined; tokens: number | undefined };
  },
): Burn {
  const charged = requests.filter(({ state }) => state === "settled" || state === "unsettled");
  const firstMs = charged.reduce((first, { at }) => Math.min(first, at), nowMs);
  const spanMs = Math.max(SPAN_MS_MIN, nowMs - Math.max(startMs, firstMs, nowMs - SPAN_MS));
  const recent = charged.filter(({ at }) => at >= nowMs - spanMs);
  const cost = recent.reduce((sum, one) => sum + one.cost, 0);
  const tokens = recent.reduce((sum, one) => sum + one.tokens, 0);
  const ends = [lasts(left.cost, cost, spanMs), lasts(left.tokens, tokens, spanMs)].filter(
    (ms) => ms !== undefined,
  );
  const exhaustedMs = nowMs + Math.min(...ends, Number.POSITIVE_INFINITY);
  return { spanMs, cost, tokens, exhaustedMs: exhaustedMs < endMs ? exhaustedMs : undefined };
}

/** How long `left` lasts when `spent` goes in `spanMs`, in milliseconds. */
function lasts(left: number | undefined, spent: number, spanMs: number): number | undefined {
  if (left === undefined) return undefined;
  if (left === 0) return 0;
  return spent === 0 ? undefined : (left / spent) * spanMs;
}
