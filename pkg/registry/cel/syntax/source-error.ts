/** What is wrong at one place of an expression. */
export interface Issue {
  /** An index into the source's code points; undefined: the expression as a whole. */
  readonly at: number | undefined;
  readonly message: string;
}

/** An expression that cannot be compiled. The message is cel-go's: one place and its line of source for each issue. */
export class SourceError extends Error {
  override readonly name = "SourceError";

  constructor(source: string, issues: readonly Issue[]) {
    const lines = linesOf(source);
    const placed = issues.map((issue) => ({ ...place(lines, issue.at ?? 0), message: issue.message }));
    placed.sort((a, b) => a.line - b.line || a.column - b.column);
    super(placed.map((issue) => shown(lines, issue)).join("\n"));
  }
}

/** Longer lines are not repeated: cel-go's bound. */
const maxShownLine = 16_384;

interface Place {
  /** From 1. */
  readonly line: number;
  /** From 0. */
  readonly column: number;
}

function linesOf(source: string): readonly (readonly string[])[] {
  return source.split("\n").map((line) => [...line]);
}

function place(lines: readonly (readonly string[])[], at: number): Place {
  let rest = at;
  for (const [i, line] of lines.entries()) {
    if (rest <= line.length) return { line: i + 1, column: rest };
    rest -= line.length + 1;
  }
  return { line: lines.length, column: lines.at(-1)?.length ?? 0 };
}

function shown(lines: readonly (readonly string[])[], issue: Place & { message: string }): string {
  const head = `ERROR: <input>:${issue.line}:${issue.column + 1}: ${issue.message}`;
  const line = lines[issue.line - 1] ?? [];
  if (line.length > maxShownLine) return head;
  // Full-width marks stand beneath characters that take more than one byte.
  const wide = (char: string | undefined): boolean => char !== undefined && char > "\x7f";
  const dots = line.slice(0, issue.column).map((char) => (wide(char) ? "\uff0e" : "."));
  const text = line.join("").replaceAll("\t", " ");
  return `${head}\n | ${text}\n | ${dots.join("")}${wide(line[issue.column]) ? "\uff3e" : "^"}`;
}
