import { performance } from "node:perf_hooks";
import { quantile } from "../../support/quantile.ts";

export interface Timing {
  /** Operations in a second, over the whole run. */
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** Runs `operation` `count` times with `concurrency` of them in flight. */
export async function measure(
  { count, concurrency }: { count: number; concurrency: number },
  operation: (index: number) => Promise<unknown>,
): Promise<Timing> {
  const tookMs: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      const began = performance.now();
      await operation(index);
      tookMs.push(performance.now() - began);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: concurrency }, worker));
  return timing(tookMs, performance.now() - began);
}

export function timing(tookMs: readonly number[], wholeMs: number): Timing {
  const perSecond = (tookMs.length / wholeMs) * 1000;
  return { perSecond, p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) };
}
