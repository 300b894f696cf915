/** A type as the checker knows it. Types are compared by structure, structs and opaque types by name. */
export interface Type {
  readonly kind:
    | "bool"
    | "bytes"
    | "double"
    | "duration"
    | "dyn"
    | "error"
    | "int"
    | "list"
    | "map"
    | "null"
    | "opaque"
    | "param"
    | "string"
    | "struct"
    | "timestamp"
    | "type"
    | "uint";
  /** As values name their type at run time. */
  readonly name: string;
  /** Of a list its items' type, of a map its keys' and its values'. */
  readonly params: readonly Type[];
  /** Of a struct. */
  readonly fields?: ReadonlyMap<string, Type>;
}

export const bool = simple("bool");
export const bytes = simple("bytes");
export const double = simple("double");
export const duration = simple("duration", "google.protobuf.Duration");
export const dyn = simple("dyn");
export const errorType = simple("error");
export const int = simple("int");
export const nullType = simple("null", "null_type");
export const string = simple("string");
export const timestamp = simple("timestamp", "google.protobuf.Timestamp");
export const uint = simple("uint");

export function listOf(item: Type): Type {
  return { kind: "list", name: "list", params: [item] };
}

export function mapOf(key: Type, value: Type): Type {
  return { kind: "map", name: "map", params: [key, value] };
}

export function optionalOf(value: Type): Type {
  return { kind: "opaque", name: "optional_type", params: [value] };
}

/** The type of the value that is the type `of`. */
export function typeOf(of: Type): Type {
  return { kind: "type", name: "type", params: [of] };
}

/** A type that a call may choose: the T of list(T). */
export function param(name: string): Type {
  return { kind: "param", name, params: [] };
}

export function opaque(name: string): Type {
  return { kind: "opaque", name, params: [] };
}

export function struct(name: string, fields: ReadonlyMap<string, Type> = new Map()): Type {
  return { kind: "struct", name, params: [], fields };
}

export function isDyn(type: Type): boolean {
  return type.kind === "dyn";
}

/** What an optional holds; undefined for all other types. */
export function unwrapped(type: Type): Type | undefined {
  return type.kind === "opaque" && type.name === "optional_type" ? type.params[0] : undefined;
}

export function sameType(a: Type, b: Type): boolean {
  return (
    a === b ||
    (a.kind === b.kind &&
      a.name === b.name &&
      a.params.length === b.params.length &&
      a.params.every((of, i) => sameType(of, b.params[i] as Type)))
  );
}

/** As messages write a type. */
export function formatType(type: Type): string {
  switch (type.kind) {
    case "duration":
    case "timestamp":
    case "null":
      return type.kind;
    case "error":
      return "!error!";
    default:
      return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(formatType).join(", ")})`;
  }
}

function simple(kind: Type["kind"], name: string = kind): Type {
  return { kind, name, params: [] };
}
