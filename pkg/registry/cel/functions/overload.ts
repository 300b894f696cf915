import type { Type } from "../check/type.ts";
import type { Value, Work } from "../values/value.ts";
import type { Cost } from "./costs.ts";

/** One meaning of a function: for one list of argument types. */
export interface Overload {
  /** As cel-go and Kubernetes name it. */
  readonly id: string;
  /** Called on a receiver, which is then the first of the parameters. */
  readonly member: boolean;
  readonly params: readonly Type[];
  readonly result: Type;
  readonly call: Call;
  readonly costs: Costs;
  /** Whether `call` looks at its arguments' types itself. */
  readonly unguarded?: boolean;
}

/** Called with arguments of the overload's types: what is dyn has been looked at. */
export type Call = (args: readonly Value[], work: Work) => Value;

export interface Costs {
  /** Known before the call; 1 when both are absent. */
  readonly cost?: Cost;
  /** Known from what came out. Making it toils, so that nothing large is made unnoticed. */
  readonly costOfResult?: (result: Value) => number;
}

export type Functions = ReadonlyMap<string, readonly Overload[]>;

/** What a library declares: names with their overloads. */
export type Library = Readonly<Record<string, readonly Overload[]>>;

/** Called as `name(args)`. */
export function global(
  id: string,
  params: readonly Type[],
  result: Type,
  call: Call,
  costs: Costs = {},
): Overload {
  return { id, member: false, params, result, call, costs };
}

/** Called as `receiver.name(args)`. */
export function member(
  id: string,
  params: readonly Type[],
  result: Type,
  call: Call,
  costs: Costs = {},
): Overload {
  return { id, member: true, params, result, call, costs };
}
