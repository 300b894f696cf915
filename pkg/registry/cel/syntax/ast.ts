import type { Type } from "../check/type.ts";
import type { Overload } from "../functions/overload.ts";
import type { Value } from "../values/value.ts";

/** A parsed expression, macros expanded. The checker writes `type`, `name` and `overloads` into it. */
export type Node = Literal | Ident | Select | Call | List | MapNode | Struct | Comprehension;

interface Base {
  /** Where the node is told to be in messages: an index into the source's code points. */
  readonly at: number;
  type?: Type;
}

export interface Literal extends Base {
  readonly kind: "literal";
  readonly value: Value;
}

export interface Ident extends Base {
  readonly kind: "ident";
  readonly name: string;
}

export interface Select extends Base {
  readonly kind: "select";
  readonly operand: Node;
  readonly field: string;
  /** From `has(operand.field)`. */
  readonly test: boolean;
  /** Set by the checker where the whole chain is the name of a type: `google.protobuf.Timestamp`. */
  typeName?: string;
}

export interface Call extends Base {
  readonly kind: "call";
  /** `_+_`, `size`, `sets.contains`; the checker makes it the full name. */
  name: string;
  /** The receiver; the checker removes one that is a part of the function's name. */
  target: Node | undefined;
  readonly args: readonly Node[];
  /** What the call may mean by the types of its arguments, in order of declaration. */
  overloads?: readonly Overload[];
}

export interface List extends Base {
  readonly kind: "list";
  readonly elements: readonly Node[];
  /** Indexes of elements written as `?x`. */
  readonly optionals: ReadonlySet<number>;
}

export interface MapNode extends Base {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
}

export interface MapEntry {
  readonly key: Node;
  readonly value: Node;
  readonly optional: boolean;
}

export interface Struct extends Base {
  readonly kind: "struct";
  readonly name: string;
}

/** What all macros that loop become. `item2` is for those with two variables: then `item` is the index or key. */
export interface Comprehension extends Base {
  readonly kind: "comprehension";
  readonly range: Node;
  readonly item: string;
  readonly item2: string | undefined;
  readonly accumulator: string;
  readonly init: Node;
  readonly condition: Node;
  readonly step: Node;
  readonly result: Node;
}

/** The nodes directly beneath one. */
export function children(node: Node): readonly Node[] {
  switch (node.kind) {
    case "literal":
    case "ident":
    case "struct":
      return [];
    case "select":
      return [node.operand];
    case "call":
      return node.target === undefined ? node.args : [node.target, ...node.args];
    case "list":
      return node.elements;
    case "map":
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case "comprehension":
      return [node.range, node.init, node.condition, node.step, node.result];
  }
}
