import type { Call, Comprehension, Node } from "./ast.ts";
import { SyntaxIssue } from "./lexer.ts";

/** `call` as what it means, when it is one of the macros that Kubernetes has; else itself. Throws SyntaxIssue. */
export function expandMacro(call: Call): Node {
  const receiver = call.target === undefined ? "" : ".";
  const macro = macros.get(`${receiver}${call.name}/${call.args.length}`);
  return macro === undefined ? call : macro(call);
}

/** No expression can name these. */
const accumulator = "@result";
const sortInput = "@__sortBy_input__";
const unused = "#unused";

const macros: ReadonlyMap<string, (call: Call) => Node> = new Map<string, (call: Call) => Node>([
  ["has/1", has],
  [".all/2", (call) => all(call, 1)],
  [".all/3", (call) => all(call, 2)],
  [".exists/2", (call) => exists(call, 1)],
  [".exists/3", (call) => exists(call, 2)],
  [".exists_one/2", (call) => existsOne(call, 1)],
  [".existsOne/2", (call) => existsOne(call, 1)],
  [".exists_one/3", (call) => existsOne(call, 2)],
  [".existsOne/3", (call) => existsOne(call, 2)],
  [".filter/2", filter],
  [".map/2", (call) => transformed(call, 1, undefined, arg(call, 1))],
  [".map/3", (call) => transformed(call, 1, arg(call, 1), arg(call, 2))],
  [".transformList/3", (call) => transformed(call, 2, undefined, arg(call, 2))],
  [".transformList/4", (call) => transformed(call, 2, arg(call, 2), arg(call, 3))],
  [".transformMap/3", (call) => inserted(call, undefined, [ident(call, nameOf(call, 0)), arg(call, 2)])],
  [".transformMap/4", (call) => inserted(call, arg(call, 2), [ident(call, nameOf(call, 0)), arg(call, 3)])],
  [".transformMapEntry/3", (call) => inserted(call, undefined, [arg(call, 2)])],
  [".transformMapEntry/4", (call) => inserted(call, arg(call, 2), [arg(call, 3)])],
  [".sortBy/2", sortBy],
  [".optMap/2", (call) => optional(call, (inner) => node(call, "optional.of", [inner]))],
  [".optFlatMap/2", (call) => optional(call, (inner) => inner)],
]);

function has(call: Call): Node {
  const tested = arg(call, 0);
  if (tested.kind === "select" && !tested.test) return { ...tested, at: call.at, test: true };
  throw new SyntaxIssue(tested.at, "invalid argument to has() macro");
}

function all(call: Call, variables: 1 | 2): Node {
  return loop(call, variables, {
    init: literal(call, true),
    condition: node(call, "@not_strictly_false", [accumulated(call)]),
    step: node(call, "_&&_", [accumulated(call), arg(call, variables)]),
    result: accumulated(call),
  });
}

function exists(call: Call, variables: 1 | 2): Node {
  return loop(call, variables, {
    init: literal(call, false),
    condition: node(call, "@not_strictly_false", [node(call, "!_", [accumulated(call)])]),
    step: node(call, "_||_", [accumulated(call), arg(call, variables)]),
    result: accumulated(call),
  });
}

function existsOne(call: Call, variables: 1 | 2): Node {
  const counted = node(call, "_+_", [accumulated(call), literal(call, 1n)]);
  return loop(call, variables, {
    init: literal(call, 0n),
    condition: literal(call, true),
    step: node(call, "_?_:_", [arg(call, variables), counted, accumulated(call)]),
    result: node(call, "_==_", [accumulated(call), literal(call, 1n)]),
  });
}

function filter(call: Call): Node {
  return transformed(call, 1, arg(call, 1), arg(call, 0));
}

function transformed(call: Call, variables: 1 | 2, condition: Node | undefined, value: Node): Node {
  const appended = node(call, "_+_", [accumulated(call), list(call, [value])]);
  return loop(call, variables, {
    init: list(call, []),
    condition: literal(call, true),
    step: condition === undefined ? appended : node(call, "_?_:_", [condition, appended, accumulated(call)]),
    result: accumulated(call),
  });
}

function inserted(call: Call, condition: Node | undefined, entry: readonly Node[]): Node {
  const insert = node(call, "cel.@mapInsert", [accumulated(call), ...entry]);
  return loop(call, 2, {
    init: { kind: "map", at: call.at, entries: [] },
    condition: literal(call, true),
    step: condition === undefined ? insert : node(call, "_?_:_", [condition, insert, accumulated(call)]),
    result: accumulated(call),
  });
}

function sortBy(call: Call): Node {
  const target = call.target as Node;
  if (target.kind === "literal" || target.kind === "map" || target.kind === "struct") {
    const why = "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
    throw new SyntaxIssue(target.at, why);
  }
  const keys = transformed({ ...call, target: ident(call, sortInput) }, 1, undefined, arg(call, 1));
  const sorted: Call = {
    ...node(call, "@sortByAssociatedKeys", [keys]),
    target: ident(call, sortInput),
  };
  return bind(call, sortInput, target, sorted);
}

function optional(call: Call, wrap: (inner: Node) => Node): Node {
  const target = call.target as Node;
  const variable = arg(call, 0);
  if (variable.kind !== "ident") {
    throw new SyntaxIssue(variable.at, `${call.name}() variable name must be a simple identifier`);
  }
  const value: Call = { ...node(call, "value", []), target };
  const present: Call = { ...node(call, "hasValue", []), target };
  const inner = bind(call, variable.name, value, arg(call, 1));
  return node(call, "_?_:_", [present, wrap(inner), node(call, "optional.none", [])]);
}

/** A variable for `result`: a comprehension over nothing, whose accumulator is the variable. */
function bind(call: Call, name: string, init: Node, result: Node): Comprehension {
  return {
    kind: "comprehension",
    at: call.at,
    range: list(call, []),
    item: unused,
    item2: undefined,
    accumulator: name,
    init,
    condition: literal(call, false),
    step: ident(call, name),
    result,
  };
}

function loop(
  call: Call,
  variables: 1 | 2,
  parts: Pick<Comprehension, "init" | "condition" | "step" | "result">,
): Comprehension {
  const item = nameOf(call, 0);
  const item2 = variables === 2 ? nameOf(call, 1) : undefined;
  if (item === item2) throw new SyntaxIssue(arg(call, 1).at, `duplicate variable name: ${item}`);
  const range = call.target as Node;
  return { kind: "comprehension", at: call.at, range, item, item2, accumulator, ...parts };
}

function nameOf(call: Call, index: number): string {
  const variable = arg(call, index);
  if (variable.kind !== "ident") {
    const collects = call.name === "map" || call.name === "filter";
    const why = collects ? "argument is not an identifier" : "argument must be a simple name";
    throw new SyntaxIssue(variable.at, why);
  }
  if (variable.name === "__result__") {
    throw new SyntaxIssue(variable.at, "iteration variable overwrites accumulator variable");
  }
  return variable.name;
}

function arg(call: Call, index: number): Node {
  return call.args[index] as Node;
}

function node({ at }: Call, name: string, args: readonly Node[]): Call {
  return { kind: "call", at, name, target: undefined, args };
}

function list({ at }: Call, elements: readonly Node[]): Node {
  return { kind: "list", at, elements, optionals: new Set() };
}

function literal({ at }: Call, value: bigint | boolean): Node {
  return { kind: "literal", at, value };
}

function ident({ at }: Call, name: string): Node {
  return { kind: "ident", at, name };
}

function accumulated(call: Call): Node {
  return ident(call, accumulator);
}
