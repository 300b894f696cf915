/**
 * The value beneath which `share` (0 to 1) of `values` lie, the next one up where it falls between two: 0.5 for the
 * median, 1 for the greatest. NaN where there are none.
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
