import { check } from "./check/checker.ts";
import { checkLiterals } from "./check/literals.ts";
import type { Type } from "./check/type.ts";
import { functions, types } from "./functions/all.ts";
import { CostExceeded, callLimit, Evaluation, toilLimit } from "./plan/evaluation.ts";
import { plan } from "./plan/planner.ts";
import { children, type Node } from "./syntax/ast.ts";
import { parse } from "./syntax/parser.ts";
import { SourceError } from "./syntax/source-error.ts";
import { CelError, type Value } from "./values/value.ts";

/** A compiled expression. */
export interface Expression {
  readonly source: string;
  /** Of its value, as far as it is known. */
  readonly type: Type;
  /** The variables that it reads. */
  readonly reads: ReadonlySet<string>;
  /** @param values - of the variables given at compilation, in their order; undefined: not there */
  readonly evaluate: (values: readonly (Value | undefined)[], limits?: Limits) => Outcome;
}

/** What one evaluation may do at most. */
export interface Limits {
  readonly cost?: number;
  readonly toil?: number;
}

export interface Outcome {
  /** An error where the expression has no value; undefined when it cost too much. */
  readonly value: Value | undefined;
  /** In the units of cel-go's runtime cost. */
  readonly cost: number;
  /** What was done beyond what the cost stands for. */
  readonly toil: number;
}

/**
 * Compiles an expression over `variables`, with all functions that Kubernetes 1.36 gives to CRDs.
 *
 * @throws SourceError for what does not parse, names what is not there or has wrong types
 * @throws Error when a constant part of it can have no value
 */
export function compileExpression(source: string, variables: ReadonlyMap<string, Type>): Expression {
  const root = parse(source);
  const issues = check(root, { variables, functions, types });
  if (issues.length > 0) throw new SourceError(source, issues);
  const wrong = checkLiterals(root);
  if (wrong.length > 0) throw new SourceError(source, wrong);
  const { step, slots } = plan(root, [...variables.keys()]);
  return {
    source,
    type: root.type as Type,
    reads: namesIn(root),
    evaluate: (values, { cost = callLimit, toil = toilLimit } = {}) => {
      const all = new Array<Value | undefined>(slots);
      for (const [i, value] of values.entries()) all[i] = value;
      const run = new Evaluation(all, toil, cost);
      try {
        const value = step(run);
        return { value, cost: run.cost, toil: run.excessToil };
      } catch (error) {
        if (error instanceof CostExceeded) return { value: undefined, cost: run.cost, toil: run.excessToil };
        throw error;
      }
    },
  };
}

export function isError(value: Value | undefined): value is CelError {
  return value instanceof CelError;
}

function namesIn(root: Node): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: Node): void => {
    if (node.kind === "ident") names.add(node.name.replace(/^\./, ""));
    for (const child of children(node)) visit(child);
  };
  visit(root);
  return names;
}
