import { type ASTNode, Environment, type ParseResult } from "@marcbachmann/cel-js";
import { RE2JS } from "re2js";
import { registerValues } from "./values.ts";

export interface Expression {
  /** Evaluates with `self` and `oldSelf`. Throws what the expression's evaluation throws. */
  readonly evaluate: (context: { self: unknown; oldSelf?: unknown }) => unknown;
  /** The variables that the expression reads: `self`, `oldSelf`. */
  readonly reads: ReadonlySet<string>;
}

/**
 * Parses a rule of `x-kubernetes-validations`.
 *
 * `matches` runs on RE2, in linear time, never on JavaScript's RegExp: a backtracking pattern over user input
 * could hold the process for minutes. The library has no way to replace a built-in, so calls are renamed.
 *
 * @throws Error (cel-js' ParseError or TypeError) when `source` is no valid expression over self and oldSelf
 */
export function parseExpression(source: string): Expression {
  const parsed = environment.parse(withLinearMatches(source, environment.parse(source)));
  const check = parsed.check();
  if (!check.valid) throw check.error ?? new Error(`The rule ${source} is not valid`);
  const reads = new Set<string>();
  visit(parsed.ast, (node) => {
    if (node.op === "id") reads.add(node.args);
  });
  return { evaluate: (context) => parsed(context), reads };
}

const linearMatches = "matchesLinear";

const environment = new Environment({
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 10_000, maxDepth: 100 },
})
  .registerVariable("self", "dyn")
  .registerVariable("oldSelf", "dyn")
  .registerFunction(`string.${linearMatches}(string): bool`, (text: string, pattern: string) =>
    compiled(pattern).test(text),
  );
registerValues(environment);

const patterns = new Map<string, RE2JS>();

/** Patterns are nearly always literals of a CRD; the bound is for those that are computed. */
function compiled(pattern: string): RE2JS {
  let found = patterns.get(pattern);
  if (found === undefined) {
    if (patterns.size > 1000) patterns.clear();
    found = RE2JS.compile(pattern);
    patterns.set(pattern, found);
  }
  return found;
}

function withLinearMatches(source: string, parsed: ParseResult): string {
  const positions: number[] = [];
  visit(parsed.ast, (node) => {
    if (node.op !== "rcall" || node.args[0] !== "matches") return;
    // Between the receiver and the method's name there are only closing brackets, blanks and the dot.
    positions.push(source.indexOf("matches", node.args[1].range.end));
  });
  let renamed = source;
  for (const at of positions.sort((a, b) => b - a)) {
    renamed = renamed.slice(0, at) + linearMatches + renamed.slice(at + "matches".length);
  }
  return renamed;
}

function visit(value: unknown, see: (node: ASTNode) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, see);
  } else if (typeof value === "object" && value !== null && "op" in value && "args" in value) {
    see(value as ASTNode);
    visit((value as ASTNode).args, see);
  }
}
