import { listCost, mapCost } from "../functions/costs.ts";
import { patternProblem } from "../functions/patterns.ts";
import type { Call, Comprehension, List, MapNode, Node } from "../syntax/ast.ts";
import { ArrayList, GrowingList, itemsOf } from "../values/lists.ts";
import { EntryMap, unsupportedKey } from "../values/maps.ts";
import {
  CelError,
  CelList,
  CelMap,
  noSuchOverload,
  Optional,
  TypeName,
  typeNameOf,
  type Value,
} from "../values/value.ts";
import { planCall } from "./calls.ts";
import { Evaluation, type Step } from "./evaluation.ts";
import { type Qualifier, qualified } from "./qualifiers.ts";

/** An expression ready to run. */
export interface Plan {
  readonly step: Step;
  /** How many variables it has, those given at its start included. */
  readonly slots: number;
}

/**
 * Plans a checked expression. What it costs to run is what cel-go counts with Kubernetes' settings: constants are
 * free and folded, a variable and each selection cost 1, a ternary nothing.
 *
 * @param variables - those that are given at the start, in the order of their slots
 * @throws Error when a constant part of it can have no value
 * @see cel-go interpreter/planner.go and runtimecost.go
 */
export function plan(root: Node, variables: readonly string[]): Plan {
  const planner = new Planner(variables);
  const { step } = planner.plan(root, new Map(variables.map((name, slot) => [name, { slot }])));
  return { step, slots: planner.slots };
}

/** A step, and its value when that is known before. */
interface Planned {
  readonly step: Step;
  readonly constant?: { readonly value: Value };
}

/** Where a variable is; `init` is run when it is first read. */
interface Variable {
  readonly slot: number;
  readonly init?: Step;
}

type Variables = ReadonlyMap<string, Variable>;

/** A node that selections can follow. cel-go counts a chain of them as one thing: 1 for its start, 1 for each. */
interface Chain {
  readonly base: Step;
  /** What the base adds to the cost where the chain's own value is wanted. */
  readonly cost: 0 | 1;
  readonly qualifiers: readonly Qualifier[];
}

class Planner {
  slots: number;

  constructor(variables: readonly string[]) {
    this.slots = variables.length;
  }

  plan(node: Node, variables: Variables): Planned {
    switch (node.kind) {
      case "literal":
        return constant(node.value);
      case "list":
        return this.#list(node, variables);
      case "map":
        return this.#map(node, variables);
      case "comprehension":
        return { step: this.#comprehension(node, variables) };
      case "struct":
        throw new Error(`unknown type: ${node.name}`);
      default: {
        const type = typeNamed(node, variables);
        if (type !== undefined) return constant(type);
        const chain = this.#chain(node, variables);
        return chain === undefined ? this.#call(node as Call, variables) : { step: charged(chain) };
      }
    }
  }

  #step(node: Node, variables: Variables): Step {
    return this.plan(node, variables).step;
  }

  /** The value of a node where cel-go looks through a chain to it, and so does not count its start. */
  #rawStep(node: Node, variables: Variables): Step {
    const chain = typeNamed(node, variables) === undefined ? this.#chain(node, variables) : undefined;
    return chain === undefined ? this.#step(node, variables) : qualified(chain.base, chain.qualifiers);
  }

  #chain(node: Node, variables: Variables): Chain | undefined {
    if (node.kind === "ident") return { base: read(node.name, variables), cost: 1, qualifiers: [] };
    if (node.kind === "select") {
      const { field, test } = node;
      const chain = this.#operandChain(node.operand, variables);
      const qualifier = { constant: field, optional: false, test };
      return {
        base: chain.base,
        cost: test ? 0 : chain.cost,
        qualifiers: [...chain.qualifiers, qualifier],
      };
    }
    if (node.kind !== "call") return undefined;
    if (node.name === "_?_:_") {
      return { base: this.#conditional(node, variables), cost: 0, qualifiers: [] };
    }
    if (node.name !== "_[_]" && node.name !== "_[?_]" && node.name !== "_?._") return undefined;
    const [operand, index] = node.args as [Node, Node];
    const chain = this.#operandChain(operand, variables);
    const optional = node.name !== "_[_]";
    return { ...chain, qualifiers: [...chain.qualifiers, this.#qualifier(index, optional, variables)] };
  }

  #operandChain(node: Node, variables: Variables): Chain {
    const chain = typeNamed(node, variables) === undefined ? this.#chain(node, variables) : undefined;
    return chain ?? { base: this.#step(node, variables), cost: 1, qualifiers: [] };
  }

  #qualifier(index: Node, optional: boolean, variables: Variables): Qualifier {
    const planned = this.plan(index, variables);
    if (planned.constant !== undefined) return { constant: planned.constant.value, optional, test: false };
    return { key: this.#rawStep(index, variables), optional, test: false };
  }

  #conditional(node: Call, variables: Variables): Step {
    const [conditionNode, thenNode, elseNode] = node.args as [Node, Node, Node];
    const condition = this.#step(conditionNode, variables);
    const [yes, no] = [this.#rawStep(thenNode, variables), this.#rawStep(elseNode, variables)];
    return (run) => {
      const chosen = condition(run);
      if (chosen === true) return yes(run);
      if (chosen === false) return no(run);
      return chosen instanceof CelError ? chosen : noSuchOverload;
    };
  }

  #call(node: Call, variables: Variables): Planned {
    const nodes = node.target === undefined ? node.args : [node.target, ...node.args];
    const args = nodes.map((arg) => this.plan(arg, variables));
    const steps = args.map(({ step }) => step);
    switch (node.name) {
      case "_&&_":
        return { step: logical(steps, false) };
      case "_||_":
        return { step: logical(steps, true) };
      case "or":
      case "orValue":
        return { step: alternative(steps as [Step, Step], node.name === "orValue") };
      case "@in": {
        const folded = membership(node, args);
        if (folded !== undefined) return folded;
        break;
      }
      case "matches":
      case "find":
      case "findAll":
        checkPattern(args[1]);
        break;
    }
    const step = planCall(node, nodes, steps);
    return foldable.has(node.name) && args.length === 1 && args[0]?.constant !== undefined
      ? folded(step)
      : { step };
  }

  #list({ elements, optionals }: List, variables: Variables): Planned {
    const planned = elements.map((element) => this.plan(element, variables));
    const steps = planned.map(({ step }) => step);
    const make: Step = (run) => {
      const items: Value[] = [];
      for (const [i, step] of steps.entries()) {
        const item = step(run);
        if (item instanceof CelError) return item;
        if (!optionals.has(i)) items.push(item);
        else if (!(item instanceof Optional)) {
          const why = "cannot initialize optional list element from non-optional value";
          return new CelError(`${why} ${item}`);
        } else if (item.value !== undefined) items.push(item.value);
      }
      return new ArrayList(items);
    };
    return planned.every((item) => item.constant !== undefined)
      ? folded(make)
      : { step: costing(make, listCost) };
  }

  #map({ entries }: MapNode, variables: Variables): Planned {
    const planned = entries.map((entry) => ({
      key: this.plan(entry.key, variables),
      value: this.plan(entry.value, variables),
      optional: entry.optional,
    }));
    const make: Step = (run) => {
      const map = new EntryMap();
      for (const entry of planned) {
        const key = entry.key.step(run);
        if (key instanceof CelError) return key;
        let value: Value | undefined = entry.value.step(run);
        if (value instanceof CelError) return value;
        if (entry.optional) {
          if (!(value instanceof Optional)) {
            const why = `cannot initialize optional entry '${key}' from non-optional value`;
            return new CelError(`${why} ${value}`);
          }
          value = value.value;
        }
        if (value === undefined || map.insert(key, value)) continue;
        if (map.find(key) === undefined) return unsupportedKey(key, typeNameOf(key));
        return new CelError(`Failed with repeated key: ${key}`);
      }
      return map;
    };
    const isConstant = planned.every(
      ({ key, value }) => key.constant !== undefined && value.constant !== undefined,
    );
    return isConstant ? folded(make) : { step: costing(make, mapCost) };
  }

  #comprehension(node: Comprehension, variables: Variables): Step {
    const range = this.#step(node.range, variables);
    const init = this.#init(node.init, variables);
    const accumulator = this.slots++;
    const outer = new Map(variables).set(node.accumulator, { slot: accumulator, init });
    const [first, second] = [this.slots++, this.slots++];
    const inner = new Map<string, Variable>(outer).set(node.item, { slot: first });
    if (node.item2 !== undefined) inner.set(node.item2, { slot: second });
    const condition = this.#step(node.condition, inner);
    const step = this.#step(node.step, inner);
    const result = this.#step(node.result, outer);
    const two = node.item2 !== undefined;
    return (run) => {
      const values = range(run);
      if (values instanceof CelError) return values;
      const { slots } = run;
      slots[accumulator] = undefined;
      for (const [key, value] of two ? pairsOf(values) : singlesOf(values)) {
        if (key instanceof CelError && key === notIterable) return cannotRange(values, two);
        slots[first] = key;
        slots[second] = value;
        const more = condition(run);
        if (typeof more === "boolean" && !more) break;
        slots[accumulator] = step(run);
      }
      const found = result(run);
      return found instanceof GrowingList ? new ArrayList(found.items) : found;
    };
  }

  /** What the accumulator is before the first item. A list or map that is filled must be a new one each time. */
  #init(node: Node, variables: Variables): Step {
    if (node.kind === "list" && node.elements.length === 0) return () => new GrowingList();
    if (node.kind === "map" && node.entries.length === 0) return () => new EntryMap();
    return this.#step(node, variables);
  }
}

function constant(value: Value): Planned {
  return { step: () => value, constant: { value } };
}

/** Runs `step` once and for all. */
function folded(step: Step): Planned {
  const value = step(new Evaluation([]));
  if (value instanceof CelError) throw new Error(value.message);
  return constant(value);
}

function costing(step: Step, cost: number): Step {
  return (run) => {
    const value = step(run);
    run.charge(cost);
    return value;
  };
}

function charged({ base, cost, qualifiers }: Chain): Step {
  const step = qualified(base, qualifiers);
  if (cost === 0) return step;
  return (run) => {
    const value = step(run);
    run.charge(cost);
    return value;
  };
}

function read(name: string, variables: Variables): Step {
  const plain = name.replace(/^\./, "");
  const variable = variables.get(plain);
  if (variable === undefined) throw new Error(`no such attribute(s): ${plain}`);
  const { slot, init } = variable;
  const missing = new CelError(`no such attribute(s): ${plain}`);
  if (init === undefined) return (run) => run.slots[slot] ?? (run.slots[slot] === null ? null : missing);
  return (run) => {
    const value = run.slots[slot];
    if (value !== undefined) return value;
    const first = init(run);
    run.slots[slot] = first;
    return first;
  };
}

/** The type that a name stands for, where no variable has that name. */
function typeNamed(node: Node, variables: Variables): TypeName | undefined {
  if (node.kind === "select") return node.typeName === undefined ? undefined : typeValue(node.typeName);
  if (node.kind !== "ident") return undefined;
  const plain = node.name.replace(/^\./, "");
  return variables.has(plain) || node.type?.kind !== "type" ? undefined : typeValue(plain);
}

function typeValue(name: string): TypeName {
  return new TypeName(name);
}

/** `&&` and `||`: the first `decisive` value decides, and an error only counts when there is none. */
function logical(terms: readonly Step[], decisive: boolean): Step {
  return (run) => {
    let error: CelError | undefined;
    for (const term of terms) {
      const value = term(run);
      if (value === decisive) return decisive;
      if (typeof value !== "boolean") error ??= value instanceof CelError ? value : noSuchOverload;
    }
    return error ?? !decisive;
  };
}

/** `a.or(b)` and `a.orValue(b)`: b is looked at only when a has no value. */
function alternative([first, second]: readonly [Step, Step], unwrap: boolean): Step {
  return (run) => {
    const value = first(run);
    if (!(value instanceof Optional)) return value instanceof CelError ? value : noSuchOverload;
    if (value.value === undefined) return second(run);
    return unwrap ? value.value : value;
  };
}

/** Conversions of constants are made once, and `type` and `dyn` with them. */
const foldable = new Set([
  "bool",
  "bytes",
  "double",
  "duration",
  "dyn",
  "int",
  "string",
  "timestamp",
  "type",
  "uint",
]);

/** `x in [1, 2]` costs nothing beyond x. */
function membership(node: Call, [item, list]: readonly Planned[]): Planned | undefined {
  const only = node.overloads?.length === 1 && node.overloads[0]?.id === "in_list";
  const values = list?.constant?.value;
  if (!only || item === undefined || !(values instanceof CelList)) return undefined;
  if (values.size === 0) return constant(false);
  const set = new EntryMap();
  for (const value of itemsOf(values)) {
    if (set.insert(value, true) || set.find(value) !== undefined) continue;
    return undefined;
  }
  const { step } = item;
  return {
    step: (run) => {
      const value = step(run);
      return value instanceof CelError ? value : set.find(value) !== undefined;
    },
  };
}

function checkPattern(pattern: Planned | undefined): void {
  const text = pattern?.constant?.value;
  const problem = typeof text === "string" ? patternProblem(text) : undefined;
  if (problem !== undefined) throw new Error(problem);
}

const notIterable = new CelError("not iterable");

type Pair = readonly [Value, Value | undefined];

function* singlesOf(values: Value): Iterable<Pair> {
  if (values instanceof CelList) {
    for (const item of itemsOf(values)) yield [item, undefined];
  } else if (values instanceof CelMap) {
    for (const key of values.keys()) yield [key, undefined];
  } else {
    yield [notIterable, undefined];
  }
}

function* pairsOf(values: Value): Iterable<Pair> {
  if (values instanceof CelList) {
    for (let i = 0; i < values.size; i++) yield [BigInt(i), values.get(i)];
  } else if (values instanceof CelMap) {
    for (const key of values.keys()) yield [key, values.find(key)];
  } else {
    yield [notIterable, undefined];
  }
}

function cannotRange(values: Value, two: boolean): CelError {
  const type = typeNameOf(values);
  return new CelError(
    two ? `unsupported comprehension range type: ${type}` : `got '${type}', expected iterable type`,
  );
}
