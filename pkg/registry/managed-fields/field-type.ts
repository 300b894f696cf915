import type { Json } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import { fieldElement } from "./path-element.ts";

/**
 * What a value may be, as far as the ownership of its fields goes: which lists and maps are owned as one value, and
 * what tells list items apart. A value that may be of several kinds is taken as what it is.
 */
export interface FieldType {
  readonly scalar: "numeric" | "string" | "boolean" | "untyped" | undefined;
  readonly list: ListType | undefined;
  readonly map: MapType | undefined;
}

export interface ListType {
  readonly items: FieldType;
  /** `atomic`: one value; `set`: items are told apart by their value, `map`: by the values of `keys`. */
  readonly relation: "atomic" | "set" | "map";
  readonly keys: readonly string[];
}

export interface MapType {
  /** Owned as one value. */
  readonly atomic: boolean;
  /** Fields that are known by name. */
  readonly fields: ReadonlyMap<string, NamedField>;
  /** The type of every other key; undefined: there may be none. */
  readonly others: FieldType | undefined;
}

/** The step from a map to what it has under a key. */
export interface Step {
  /** The key as a path element. */
  readonly element: string;
  readonly type: FieldType;
}

export interface NamedField extends Step {
  readonly default: Json | undefined;
}

/** The type of objects of a kind, from the schema of what stands beside apiVersion, kind and metadata. */
export function objectType(schema: Schema): FieldType {
  let type = objectTypes.get(schema);
  if (type === undefined) {
    type = withObjectFields(fieldType(schema));
    objectTypes.set(schema, type);
  }
  return type;
}

const objectTypes = new WeakMap<Schema, FieldType>();

/** How to go on from a map to what it has under `name`, be it known or not. */
export function stepTo(type: MapType, name: string): Step {
  return type.fields.get(name) ?? { element: fieldElement(name), type: type.others ?? unknownType };
}

/**
 * How `value` is to be taken. What fits no kind of the type, and null, is taken as the first kind that the type has, and
 * is wrong or nothing there.
 */
export function kindOf(type: FieldType, value: Json): "scalar" | "list" | "map" {
  if (Array.isArray(value)) {
    if (type.list !== undefined) return "list";
  } else if (typeof value === "object") {
    if (value !== null && type.map !== undefined) return "map";
  } else if (type.scalar !== undefined) {
    return "scalar";
  }
  if (type.map !== undefined) return "map";
  return type.scalar === undefined ? "list" : "scalar";
}

/** Beneath an atomic value of which nothing is known. */
const atomicType: FieldType = selfContaining((self) => ({
  scalar: "untyped",
  list: { items: self, relation: "atomic", keys: [] },
  map: { atomic: true, fields: new Map(), others: self },
}));

/** Of which nothing is known: maps are merged key by key, lists are one value. */
const unknownType: FieldType = selfContaining((self) => ({
  scalar: "untyped",
  list: { items: atomicType, relation: "atomic", keys: [] },
  map: { atomic: false, fields: new Map(), others: self },
}));

function selfContaining(make: (self: FieldType) => FieldType): FieldType {
  const self = {} as FieldType;
  return Object.assign(self, make(self));
}

/** @param preserve - whether a schema above keeps unknown fields */
function fieldType(schema: Schema, preserve = false): FieldType {
  const keeps = preserve || schema.preserveUnknown;
  switch (schema.type) {
    case "object":
      return { scalar: undefined, list: undefined, map: mapType(schema, keeps) };
    case "array":
      return { scalar: undefined, list: listType(schema, keeps), map: undefined };
    case undefined:
      return { scalar: "untyped", list: listType(schema, keeps), map: mapType(schema, keeps) };
    default:
      return { scalar: scalarType(schema), list: undefined, map: undefined };
  }
}

function scalarType({ type, format }: Schema): FieldType["scalar"] {
  if (type === "integer" || type === "number") return "numeric";
  if (type === "boolean") return "boolean";
  // Formats are left to validation, which names them.
  return type === "string" && (format === undefined || format === "" || format === "byte")
    ? "string"
    : "untyped";
}

function listType({ items, listType: relation, listMapKeys }: Schema, keeps: boolean): ListType {
  return {
    items: items === undefined ? atomicType : fieldType(items, keeps),
    relation,
    keys: relation === "map" ? listMapKeys : [],
  };
}

function mapType(schema: Schema, keeps: boolean): MapType {
  const fields = new Map<string, NamedField>();
  for (const [name, property] of schema.properties) {
    fields.set(name, namedField(name, fieldType(property, keeps), property.default));
  }
  if (schema.embeddedResource)
    for (const [name, type] of objectFields) fields.set(name, namedField(name, type));
  const open = keeps || fields.size === 0;
  const others =
    schema.additionalProperties === undefined
      ? open
        ? unknownType
        : undefined
      : fieldType(schema.additionalProperties, keeps);
  return { atomic: schema.mapType === "atomic", fields, others };
}

function namedField(name: string, type: FieldType, byDefault?: Json): NamedField {
  return { element: fieldElement(name), type, default: byDefault };
}

function withObjectFields(type: FieldType): FieldType {
  const { atomic, fields, others } = type.map ?? { atomic: false, fields: new Map(), others: unknownType };
  const all = new Map(fields);
  for (const [name, field] of objectFields) all.set(name, namedField(name, field));
  return { scalar: undefined, list: undefined, map: { atomic, fields: all, others } };
}

const text: FieldType = { scalar: "string", list: undefined, map: undefined };
const time: FieldType = { scalar: "untyped", list: undefined, map: undefined };
const numeric: FieldType = { scalar: "numeric", list: undefined, map: undefined };
const boolean: FieldType = { scalar: "boolean", list: undefined, map: undefined };

function struct(fields: Readonly<Record<string, FieldType>>, atomic = false): FieldType {
  const entries = Object.entries(fields).map(([name, type]) => [name, namedField(name, type)] as const);
  return { scalar: undefined, list: undefined, map: { atomic, fields: new Map(entries), others: undefined } };
}

function mapOf(others: FieldType): FieldType {
  return { scalar: undefined, list: undefined, map: { atomic: false, fields: new Map(), others } };
}

function listOf(items: FieldType, relation: ListType["relation"], keys: readonly string[] = []): FieldType {
  return { scalar: undefined, list: { items, relation, keys }, map: undefined };
}

/** meta/v1's ObjectMeta. */
const metadata = struct({
  name: text,
  generateName: text,
  namespace: text,
  selfLink: text,
  uid: text,
  resourceVersion: text,
  generation: numeric,
  creationTimestamp: time,
  deletionTimestamp: time,
  deletionGracePeriodSeconds: numeric,
  labels: mapOf(text),
  annotations: mapOf(text),
  finalizers: listOf(text, "set"),
  ownerReferences: listOf(
    struct(
      {
        apiVersion: text,
        kind: text,
        name: text,
        uid: text,
        controller: boolean,
        blockOwnerDeletion: boolean,
      },
      true,
    ),
    "map",
    ["uid"],
  ),
  managedFields: listOf(
    struct({
      apiVersion: text,
      fieldsType: text,
      fieldsV1: mapOf(unknownType),
      manager: text,
      operation: text,
      subresource: text,
      time,
    }),
    "atomic",
  ),
});

const objectFields: readonly (readonly [string, FieldType])[] = [
  ["apiVersion", text],
  ["kind", text],
  ["metadata", metadata],
];
