const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration such as `1h30m` or `45 s`. */
export function parseDuration(text: string): number {
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)\s*(ms|s|m|h|d)/g)) {
    total += Number(amount) * (MS[unit ?? ""] ?? 0);
  }
  return total;
}

/** The shortest exact form of a duration in milliseconds: `1h30m`. */
export function formatDuration(ms: number): string {
  const parts: string[] = [];
  let left = ms;
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const size = MS[unit] ?? 1;
    const amount = Math.floor(left / size);
    if (amount > 0) parts.push(`${amount}${unit}`);
    left -= amount * size;
  }
  return parts.join("") || "0ms";
}
