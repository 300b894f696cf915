import type { Value, Work } from "../values/value.ts";

/** What evaluating may cost at most: as in Kubernetes, a million for each expression. */
export const callLimit = 1_000_000;

/**
 * What one object's rules may do in all beyond what their cost stands for, in toil: about ten nanoseconds each. Cost
 * knows nothing of deep comparisons or of lists glued together. More than a sane rule needs, done within a second.
 */
export const toilLimit = 3_000_000;
/** How much toil a unit of cost stands for. */
const toilOfCost = 5;

/** Thrown when an evaluation is given up. */
export class CostExceeded extends Error {
  override readonly name = "CostExceeded";

  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}

/** One run of an expression: its variables and what it has cost. */
export class Evaluation implements Work {
  /** In the units of cel-go's runtime cost. */
  cost = 0;
  toiled = 0;
  /** Variables by the numbers that planning gave them; undefined: not there. */
  readonly slots: (Value | undefined)[];
  readonly #costLimit: number;
  readonly #toilLimit: number;

  constructor(slots: (Value | undefined)[], toil = toilLimit, cost = callLimit) {
    this.slots = slots;
    this.#toilLimit = toil;
    this.#costLimit = cost;
  }

  /** What was done beyond what the cost stands for. */
  get excessToil(): number {
    return Math.max(0, this.toiled - this.cost * toilOfCost);
  }

  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#costLimit) throw new CostExceeded();
  }

  toil(units: number): void {
    this.toiled += units;
    if (this.excessToil > this.#toilLimit) throw new CostExceeded();
  }
}

/** A part of a planned expression. */
export type Step = (run: Evaluation) => Value;
