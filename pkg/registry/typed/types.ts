/**
 * How Kubernetes' own kinds are made, field by field. One table of a kind drives how its JSON is read, its protobuf
 * decoded, its strategic merge patches and server-side apply merged.
 */

/** A type of Go's, as far as its JSON and its protobuf go. */
export type GoType =
  | { readonly is: "int32" | "int64" | "float64" | "bool" | "bytes" }
  /** `name` where it is a type of its own, `types.UID`, which errors name. */
  | { readonly is: "string"; readonly name?: string }
  /** RFC 3339 in UTC; `micro` with six digits of a second, else with none. */
  | { readonly is: "time"; readonly micro: boolean }
  /** Any JSON, kept as it is. */
  | { readonly is: "json" }
  | StructType
  | { readonly is: "map"; readonly of: GoType }
  | ListType
  /** What may be either of two, told apart by `fits`: an object or a boolean. */
  | {
      readonly is: "either";
      readonly first: GoType;
      readonly second: GoType;
      readonly fits: (value: unknown) => boolean;
    };

export interface StructType {
  readonly is: "struct";
  readonly name: string;
  /** In the order in which Go writes them. */
  readonly fields: ReadonlyMap<string, Field>;
  /** Owned and applied as one value. */
  readonly atomic: boolean;
}

export interface ListType {
  readonly is: "list";
  readonly of: GoType;
  /** The key by which a strategic merge patch finds an item; "" for a list of plain values that merges as a set. */
  readonly mergeKey: string | undefined;
  /** How server-side apply takes it. */
  readonly listType: "atomic" | "set" | "map";
  readonly listMapKeys: readonly string[];
}

/**
 * When a field is written: a `pointer` when it was set, even to its zero; with `omitempty` when it is not zero, where
 * structs and times never are; `always` in any case.
 */
export type Presence = "pointer" | "omitempty" | "always";

export interface Field {
  /** In protobuf. */
  readonly number: number;
  readonly type: GoType;
  readonly presence: Presence;
}

export const string: GoType = { is: "string" };
export const uid: GoType = { is: "string", name: "types.UID" };
export const int32: GoType = { is: "int32" };
export const int64: GoType = { is: "int64" };
export const float64: GoType = { is: "float64" };
export const bool: GoType = { is: "bool" };
export const bytes: GoType = { is: "bytes" };
export const time: GoType = { is: "time", micro: false };
export const microTime: GoType = { is: "time", micro: true };
export const json: GoType = { is: "json" };

/** A type of texts. */
export function texts(name: string): GoType {
  return { is: "string", name };
}

export function pointer(number: number, type: GoType): Field {
  return { number, type, presence: "pointer" };
}

export function omitempty(number: number, type: GoType): Field {
  return { number, type, presence: "omitempty" };
}

export function always(number: number, type: GoType): Field {
  return { number, type, presence: "always" };
}

export function struct(
  name: string,
  fields: Readonly<Record<string, Field>>,
  { atomic = false } = {},
): StructType {
  return { is: "struct", name, fields: new Map(Object.entries(fields)), atomic };
}

/** A struct that has itself in it: `fields` is called once, with the struct. */
export function recursiveStruct(
  name: string,
  fields: (self: StructType) => Readonly<Record<string, Field>>,
): StructType {
  const map = new Map<string, Field>();
  const self: StructType = { is: "struct", name, fields: map, atomic: false };
  for (const [key, field] of Object.entries(fields(self))) map.set(key, field);
  return self;
}

export function map(of: GoType): GoType {
  return { is: "map", of };
}

/** A list that is replaced as a whole, by a patch as by server-side apply. */
export function list(of: GoType): ListType {
  return { is: "list", of, mergeKey: undefined, listType: "atomic", listMapKeys: [] };
}

/** A list of plain values that merges as a set. */
export function set(of: GoType): ListType {
  return { is: "list", of, mergeKey: "", listType: "set", listMapKeys: [] };
}

/** A list of objects told apart by one key. */
export function keyed(of: StructType, key: string): ListType {
  return { is: "list", of, mergeKey: key, listType: "map", listMapKeys: [key] };
}
