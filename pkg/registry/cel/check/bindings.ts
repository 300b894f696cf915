import { dyn, isDyn, sameType, type Type } from "./type.ts";

/**
 * What the type parameters of an expression were found to be. The rules are those of cel-go's checker: a parameter
 * takes the most general of the types that were assigned to it.
 */
export class Bindings {
  readonly #types: Map<string, Type>;
  #fresh = 0;

  constructor(types: ReadonlyMap<string, Type> = new Map()) {
    this.#types = new Map(types);
  }

  /** A parameter that nothing is known of yet. */
  freshParam(): Type {
    return { kind: "param", name: `_var${this.#fresh++}`, params: [] };
  }

  /** Whether a value of type `from` may stand where `to` is wanted; what was learned is kept only then. */
  assign(to: readonly Type[], from: readonly Type[]): boolean {
    const trial = new Bindings(this.#types);
    if (to.length !== from.length) return false;
    if (!to.every((type, i) => trial.#assignable(type, from[i] as Type))) return false;
    for (const [name, type] of trial.#types) this.#types.set(name, type);
    return true;
  }

  /** `type` with its parameters replaced by what is known of them, unknown ones by dyn if `final`. */
  resolve(type: Type, final: boolean): Type {
    if (type.kind === "param") {
      const found = this.#types.get(type.name);
      if (found !== undefined) return this.resolve(found, final);
      return final ? dyn : type;
    }
    if (type.params.length === 0) return type;
    const params = type.params.map((of) => this.resolve(of, final));
    return params.every((of, i) => of === type.params[i]) ? type : { ...type, params };
  }

  #assignable(a: Type, b: Type): boolean {
    if (b.kind === "param") {
      const result = this.#substitute(a, b);
      if (result === "yes") return true;
      if (result === "otherwise bound") return false;
    }
    if (a.kind === "param") return this.#substitute(b, a) === "yes";
    if (isDyn(a) || isDyn(b) || a.kind === "error" || b.kind === "error") return true;
    if (a.kind === "null") return isNullable(b);
    if (b.kind === "null") return isNullable(a);
    if (a.kind !== b.kind) return false;
    if (a.kind === "type") return true;
    return (
      a.name === b.name &&
      a.params.length === b.params.length &&
      a.params.every((of, i) => this.#assignable(of, b.params[i] as Type))
    );
  }

  /** Whether `type` may be what the parameter `to` is. */
  #substitute(type: Type, to: Type): "yes" | "no" | "otherwise bound" {
    if (sameType(type, to)) return "yes";
    const bound = this.#types.get(to.name);
    if (bound !== undefined) {
      if (sameType(type, bound)) return "yes";
      if (!this.#assignable(type, bound)) return "otherwise bound";
      const general = mostGeneral(type, bound);
      if (!this.#occurs(to, general)) this.#types.set(to.name, general);
      return "yes";
    }
    if (this.#occurs(to, type)) return "no";
    this.#types.set(to.name, type);
    return "yes";
  }

  #occurs(wanted: Type, within: Type): boolean {
    if (sameType(wanted, within)) return true;
    if (within.kind === "param") {
      const bound = this.#types.get(within.name);
      return bound !== undefined && this.#occurs(wanted, bound);
    }
    return within.params.some((of) => this.#occurs(wanted, of));
  }
}

/** The one of two assignable types that says less. */
export function mostGeneral(a: Type, b: Type): Type {
  return saysNoMore(a, b) ? a : b;
}

function saysNoMore(a: Type, b: Type): boolean {
  if (isDyn(a) || a.kind === "param") return true;
  if (isDyn(b) || b.kind === "param") return false;
  if (a.kind !== b.kind) return false;
  if (a.kind === "type") return true;
  return (
    a.name === b.name &&
    a.params.length === b.params.length &&
    a.params.every((of, i) => saysNoMore(of, b.params[i] as Type))
  );
}

/** What null may be compared with. */
function isNullable({ kind }: Type): boolean {
  return (
    kind === "opaque" || kind === "struct" || kind === "duration" || kind === "timestamp" || kind === "null"
  );
}
