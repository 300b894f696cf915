import type { Functions, Overload } from "../functions/overload.ts";
import type { Call, Comprehension, List, MapNode, Node, Select } from "../syntax/ast.ts";
import type { Issue } from "../syntax/source-error.ts";
import { typeNameOf, type Value } from "../values/value.ts";
import { Bindings, mostGeneral } from "./bindings.ts";
import {
  bool,
  bytes,
  double,
  dyn,
  errorType,
  formatType,
  int,
  isDyn,
  listOf,
  mapOf,
  nullType,
  optionalOf,
  string,
  type Type,
  typeOf,
  uint,
  unwrapped,
} from "./type.ts";

/** What an expression may name. */
export interface Scope {
  readonly variables: ReadonlyMap<string, Type>;
  readonly functions: Functions;
  /** Types by their names, as values: `int`, `google.protobuf.Duration`. */
  readonly types: ReadonlyMap<string, Type>;
}

/**
 * Finds the type of each node, and what each call may mean: both are written into the nodes.
 *
 * @returns what is wrong, in the order found; a type of kind error stands where a node has none
 * @see cel-go checker/checker.go, whose rules and words these are
 */
export function check(root: Node, scope: Scope): readonly Issue[] {
  const checker = new Checker(scope);
  checker.check(root, scope.variables);
  checker.finish();
  return checker.issues;
}

type Variables = ReadonlyMap<string, Type>;

class Checker {
  readonly issues: Issue[] = [];
  readonly #scope: Scope;
  readonly #bindings = new Bindings();
  readonly #typed: Node[] = [];

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  check(node: Node, variables: Variables): Type {
    const type = this.#typeOf(node, variables);
    node.type = type;
    this.#typed.push(node);
    return type;
  }

  /** Types may have been found of parameters after the node that has them. */
  finish(): void {
    for (const node of this.#typed) node.type = this.#bindings.resolve(node.type ?? dyn, true);
  }

  #typeOf(node: Node, variables: Variables): Type {
    switch (node.kind) {
      case "literal":
        return literalType(node.value);
      case "ident":
        return this.#ident(node.name, node.at, variables);
      case "select":
        return this.#select(node, variables);
      case "call":
        return this.#call(node, variables);
      case "list":
        return this.#list(node, variables);
      case "map":
        return this.#map(node, variables);
      case "comprehension":
        return this.#comprehension(node, variables);
      case "struct":
        return this.#undeclared(node.at, node.name);
    }
  }

  #ident(name: string, at: number, variables: Variables): Type {
    const plain = name.replace(/^\./, "");
    const variable = variables.get(plain);
    if (variable !== undefined) return variable;
    const type = this.#scope.types.get(plain);
    return type === undefined ? this.#undeclared(at, name) : typeOf(type);
  }

  #select(node: Select, variables: Variables): Type {
    const path = node.test ? undefined : qualifiedName(node);
    if (path !== undefined && !variables.has(path.split(".", 1)[0] ?? "")) {
      const type = this.#scope.types.get(path);
      if (type !== undefined) {
        node.typeName = path;
        return typeOf(type);
      }
    }
    const type = this.#field(node.operand, node.field, node.at, false, variables);
    return node.test ? bool : this.#bindings.resolve(type, false);
  }

  #field(operand: Node, field: string, at: number, optional: boolean, variables: Variables): Type {
    const type = this.#bindings.resolve(this.check(operand, variables), false);
    const inner = unwrapped(type);
    const found = this.#fieldOf(inner ?? type, field, at);
    return inner !== undefined || optional ? optionalOf(found) : found;
  }

  #fieldOf(target: Type, field: string, at: number): Type {
    switch (target.kind) {
      case "map":
        return target.params[1] ?? dyn;
      case "struct": {
        // A keyword is escaped as a field's name, and may be written plainly all the same.
        const type = target.fields?.get(field) ?? target.fields?.get(`__${field}__`);
        return type ?? this.#wrong(at, `undefined field '${field}'`);
      }
      case "param":
        this.#bindings.assign([dyn], [target]);
        return dyn;
      case "dyn":
      case "error":
        return dyn;
      default:
        this.#wrong(at, `type '${formatType(target)}' does not support field selection`);
        return dyn;
    }
  }

  #call(node: Call, variables: Variables): Type {
    if (node.name === "_?._") return this.#optionalField(node, variables);
    for (const arg of node.args) this.check(arg, variables);
    if (node.target !== undefined) {
      const prefix = qualifiedName(node.target);
      const full = prefix === undefined ? undefined : `${prefix}.${node.name}`;
      if (full !== undefined && this.#scope.functions.has(full)) {
        node.name = full;
        node.target = undefined;
      } else {
        this.check(node.target, variables);
      }
    }
    const name = node.name.replace(/^\./, "");
    const overloads = this.#scope.functions.get(name);
    if (overloads === undefined) return this.#undeclared(node.at, node.name);
    node.name = name;
    return this.#resolve(node, overloads);
  }

  #optionalField(node: Call, variables: Variables): Type {
    const [operand, field] = node.args;
    if (operand === undefined || field?.kind !== "literal") return errorType;
    this.check(field, variables);
    const type = this.#field(operand, String(field.value), node.at, true, variables);
    return this.#bindings.resolve(type, false);
  }

  #resolve(node: Call, overloads: readonly Overload[]): Type {
    const member = node.target !== undefined;
    const nodes = node.target === undefined ? node.args : [node.target, ...node.args];
    const given = nodes.map((arg) => arg.type ?? dyn);
    if (node.name === "_&&_" || node.name === "_||_") return this.#logical(nodes, given);
    const possible: Overload[] = [];
    let result: Type | undefined;
    for (const overload of overloads) {
      if (overload.member !== member) continue;
      const [wanted, returned] = this.#instantiate(overload);
      if (!this.#bindings.assign(given, wanted)) continue;
      possible.push(overload);
      const found = this.#bindings.resolve(returned, false);
      if (result === undefined) result = found;
      else if (!isDyn(result) && formatType(result) !== formatType(found)) result = dyn;
    }
    if (result === undefined) {
      const args = given.map((type) => formatType(this.#bindings.resolve(type, true)));
      const signature = member ? `${args[0]}.(${args.slice(1).join(", ")})` : `(${args.join(", ")})`;
      return this.#wrong(node.at, `found no matching overload for '${node.name}' applied to '${signature}'`);
    }
    node.overloads = possible;
    return result;
  }

  #logical(nodes: readonly Node[], given: readonly Type[]): Type {
    let type = bool;
    for (const [i, found] of given.entries()) {
      if (this.#bindings.assign([found], [bool])) continue;
      type = this.#mismatch(nodes[i]?.at ?? 0, bool, found);
    }
    return type;
  }

  /** The types of a call's parameters and of its result, with parameters of its own for those that it may choose. */
  #instantiate({ params, result }: Overload): readonly [readonly Type[], Type] {
    const fresh = new Map<string, Type>();
    const replace = (type: Type): Type => {
      if (type.kind === "param") {
        const known = fresh.get(type.name) ?? this.#bindings.freshParam();
        fresh.set(type.name, known);
        return known;
      }
      return type.params.length === 0 ? type : { ...type, params: type.params.map(replace) };
    };
    return [params.map(replace), replace(result)];
  }

  #list(node: List, variables: Variables): Type {
    let item: Type | undefined;
    for (const [i, element] of node.elements.entries()) {
      const found = this.check(element, variables);
      const type = node.optionals.has(i) ? this.#optionalValue(element, found) : found;
      item = this.#join(item, type);
    }
    return listOf(item ?? this.#bindings.freshParam());
  }

  #map(node: MapNode, variables: Variables): Type {
    let [key, value]: [Type | undefined, Type | undefined] = [undefined, undefined];
    for (const entry of node.entries) {
      key = this.#join(key, this.check(entry.key, variables));
      const found = this.check(entry.value, variables);
      value = this.#join(value, entry.optional ? this.#optionalValue(entry.value, found) : found);
    }
    return mapOf(key ?? this.#bindings.freshParam(), value ?? this.#bindings.freshParam());
  }

  #optionalValue(node: Node, type: Type): Type {
    const inner = unwrapped(type);
    if (inner === undefined && !isDyn(type)) this.#mismatch(node.at, optionalOf(type), type);
    return inner ?? type;
  }

  /** The type of items of both types. */
  #join(previous: Type | undefined, current: Type): Type {
    if (previous === undefined) return current;
    return this.#bindings.assign([previous], [current]) ? mostGeneral(previous, current) : dyn;
  }

  #comprehension(node: Comprehension, variables: Variables): Type {
    const range = this.#bindings.resolve(this.check(node.range, variables), false);
    const accumulated = this.check(node.init, variables);
    const outer = new Map(variables).set(node.accumulator, accumulated);
    const inner = new Map(outer);
    const [first, second] = this.#itemTypes(node, range);
    inner.set(node.item, node.item2 === undefined || range.kind !== "list" ? first : int);
    if (node.item2 !== undefined) inner.set(node.item2, second);
    this.#want(node.condition, bool, inner);
    this.#want(node.step, accumulated, inner);
    return this.#bindings.resolve(this.check(node.result, outer), false);
  }

  /** Of a list the type of its items twice, of a map those of its keys and of its values. */
  #itemTypes({ range: { at } }: Comprehension, range: Type): readonly [Type, Type] {
    switch (range.kind) {
      case "list":
        return [range.params[0] ?? dyn, range.params[0] ?? dyn];
      case "map":
        return [range.params[0] ?? dyn, range.params[1] ?? dyn];
      case "dyn":
      case "error":
      case "param":
        this.#bindings.assign([dyn], [range]);
        return [dyn, dyn];
      default: {
        const shown = formatType(range);
        const why = `expression of type '${shown}' cannot be range of a comprehension (must be list, map, or dynamic)`;
        return [this.#wrong(at, why), errorType];
      }
    }
  }

  #want(node: Node, wanted: Type, variables: Variables): void {
    const found = this.check(node, variables);
    if (!this.#bindings.assign([wanted], [found])) this.#mismatch(node.at, wanted, found);
  }

  #mismatch(at: number, wanted: Type, found: Type): Type {
    const [expected, actual] = [wanted, found].map((type) => formatType(this.#bindings.resolve(type, false)));
    return this.#wrong(at, `expected type '${expected}' but found '${actual}'`);
  }

  #undeclared(at: number, name: string): Type {
    return this.#wrong(at, `undeclared reference to '${name}' (in container '')`);
  }

  #wrong(at: number, message: string): Type {
    this.issues.push({ at, message });
    return errorType;
  }
}

/** `a.b.c` as a text; undefined when the node is something else. */
function qualifiedName(node: Node): string | undefined {
  if (node.kind === "ident") return node.name.replace(/^\./, "");
  if (node.kind !== "select" || node.test) return undefined;
  const prefix = qualifiedName(node.operand);
  return prefix === undefined ? undefined : `${prefix}.${node.field}`;
}

const literalTypes: ReadonlyMap<string, Type> = new Map(
  [bool, bytes, double, int, nullType, string, uint].map((type) => [type.name, type]),
);

function literalType(value: Value): Type {
  return literalTypes.get(typeNameOf(value)) ?? dyn;
}
