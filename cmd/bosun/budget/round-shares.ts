/**
 * Each of `values` as a whole number of `unit`s, so that they add up to their sum, rounded: each is rounded down, and
 * those with the largest rests are rounded up until the sum is met (method of the largest remainder, by A. Hamilton).
 *
 * @param values - whole numbers, 0 or more
 */
export function roundShares(values: readonly number[], unit: number): number[] {
  const whole = values.map((value) => Math.floor(value / unit));
  const total = Math.round(values.reduce((sum, value) => sum + value, 0) / unit);
  const missing = total - whole.reduce((sum, value) => sum + value, 0);
  const byRest = values
    .map((value, index) => ({ index, rest: value % unit }))
    .sort((a, b) => b.rest - a.rest || a.index - b.index);
  for (const { index } of byRest.slice(0, missing)) whole[index] = (whole[index] ?? 0) + 1;
  return whole;
}
