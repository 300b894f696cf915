/**
 * Rows in columns as kubectl prints them: three spaces between, nothing behind the last.
 *
 * @param widths - least width of each column, so that later rows of a watch stand under earlier ones
 */
export function layout(rows: readonly (readonly string[])[], widths: readonly number[] = []): string[] {
  const widest = widthsOf(rows, widths);
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd((widest[index] ?? 0) + 3)))
      .join("")
      .trimEnd(),
  );
}

/** The width of each column over `rows`, at least `least`. */
export function widthsOf(rows: readonly (readonly string[])[], least: readonly number[] = []): number[] {
  const widths = [...least];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  return widths;
}
