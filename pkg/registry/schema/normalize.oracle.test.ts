/**
 * Pruning and defaulting in one pass against kube-apiserver's three passes over everything: what is unknown goes, then
 * nulls that are not allowed and have no default, then defaults come.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { deepFreeze, isObject, type Json } from "../json.ts";
import { mergePatch } from "../patch/merge-patch.ts";
import { normalize } from "./normalize.ts";
import { compileSchema } from "./schema.ts";

interface Declared {
  type?: string;
  nullable?: boolean;
  default?: Json;
  properties?: { [key: string]: Declared };
  additionalProperties?: Declared | true;
  items?: Declared;
  "x-kubernetes-preserve-unknown-fields"?: true;
}
type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

const key = fc.constantFrom("a", "b", "c", "d");
const plain = fc.constantFrom<Value>(null, 1, "x", true);
const value = fc.letrec<{ any: Value; object: Value }>((tie) => ({
  any: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    plain,
    fc.array(tie("any"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc.dictionary(key, tie("any"), { maxKeys: 4, noNullPrototype: true }) as fc.Arbitrary<Value>,
}));
/** Defaults hold no nulls: a definition with such a default is refused, or means none. */
const declaredDefault = value.any.map(withoutNulls);

function structural(depth: number): fc.Arbitrary<Declared> {
  const common = fc
    .record({
      nullable: fc.boolean(),
      default: fc.option(declaredDefault, { nil: undefined, freq: 2 }),
      preserve: fc.integer({ min: 0, max: 5 }),
    })
    .map(({ preserve, ...said }): Declared => {
      const declared: Declared = { nullable: said.nullable };
      if (said.default !== undefined) declared.default = said.default as Json;
      if (preserve === 0) declared["x-kubernetes-preserve-unknown-fields"] = true;
      return declared;
    });
  if (depth === 0) return common.map((said) => ({ type: "string", ...said }));
  const inner = structural(depth - 1);
  return fc
    .tuple(
      common,
      fc.oneof(
        fc.constant<Declared>({ type: "string" }),
        fc.record({ type: fc.constant("array"), items: inner }),
        fc.record({ type: fc.constant("object"), properties: fc.dictionary(key, inner, { maxKeys: 3 }) }),
        fc.record({
          type: fc.constant("object"),
          additionalProperties: fc.oneof(inner, fc.constant(true as const)),
        }),
      ),
    )
    .map(([said, typed]) => ({ ...said, ...typed }));
}

const root = fc
  .tuple(fc.dictionary(key, structural(2), { maxKeys: 4, noNullPrototype: true }), fc.boolean())
  .map(
    ([properties, preserve]): Declared => ({
      type: "object",
      properties,
      ...(preserve ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
    }),
  );

test("one pass does what kube-apiserver's three do", () => {
  fc.assert(
    fc.property(root, value.object, (declared, given) => {
      const dropped: string[] = [];
      const ours = normalize(compileSchema(declared as Json), given as Json, "", { dropped, embedded: [] });
      const theirs = structuredClone(given);
      const unknown: string[] = [];
      const served = withPrunedDefaults(declared);
      prune(theirs, served, "", unknown);
      pruneNulls(theirs, served);
      applyDefaults(theirs, served);
      expect(ours).toEqual(theirs);
      expect(dropped.sort()).toEqual(unknown.sort());
    }),
    { numRuns: 500 },
  );
});

test("what went through once comes back itself", () => {
  fc.assert(
    fc.property(root, value.object, (declared, given) => {
      const schema = compileSchema(declared as Json);
      const once = deepFreeze(normalize(schema, given as Json, ""));
      expect(normalize(schema, once, "")).toBe(once);
    }),
    { numRuns: 300 },
  );
});

test("what an earlier result is shared with need not be looked at again", () => {
  fc.assert(
    fc.property(root, value.object, value.object, (declared, given, patch) => {
      const schema = compileSchema(declared as Json);
      const known = deepFreeze(normalize(schema, given as Json, ""));
      const next = mergePatch(known, patch as Json);
      const fast: string[] = [];
      const slow: string[] = [];
      const ours = normalize(schema, next, "", { dropped: fast, embedded: [] }, known);
      expect(ours).toEqual(normalize(schema, structuredClone(next), "", { dropped: slow, embedded: [] }));
      expect(fast).toEqual(slow);
    }),
    { numRuns: 500 },
  );
});

/** `pruning.PruneWithOptions`. */
function prune(at: Value, schema: Declared | undefined, path: string, unknown: string[]): void {
  const preserves = schema?.["x-kubernetes-preserve-unknown-fields"] === true;
  if (Array.isArray(at)) {
    at.forEach((item, i) => {
      // Beneath a list without a schema of its own, unknown fields stay where they stay in the list.
      if (preserves && schema?.items === undefined) return;
      prune(item, schema?.items, `${path}[${i}]`, unknown);
    });
  } else if (isObject(at as Json)) {
    const object = at as { [key: string]: Value };
    for (const [name, inner] of Object.entries(object)) {
      const below = path === "" ? name : `${path}.${name}`;
      const declared = schema?.properties?.[name];
      if (declared !== undefined) prune(inner, declared, below, unknown);
      else if (schema?.additionalProperties !== undefined)
        prune(inner, structuralOf(schema.additionalProperties), below, unknown);
      else if (!preserves) {
        unknown.push(below);
        delete object[name];
      }
    }
  }
}

/** `defaulting.PruneNonNullableNullsWithoutDefaults`. */
function pruneNulls(at: Value, schema: Declared | undefined): void {
  if (Array.isArray(at)) for (const item of at) pruneNulls(item, schema?.items);
  else if (isObject(at as Json)) {
    const object = at as { [key: string]: Value };
    for (const [name, inner] of Object.entries(object)) {
      const declared = schema?.properties?.[name] ?? structuralOf(schema?.additionalProperties);
      if (isForbiddenNull(inner, declared) && declared?.default === undefined) delete object[name];
      else pruneNulls(inner, declared);
    }
  }
}

/** `defaulting.Default`. */
function applyDefaults(at: Value, schema: Declared | undefined): void {
  if (schema === undefined) return;
  if (Array.isArray(at)) {
    at.forEach((item, i) => {
      if (isForbiddenNull(item, schema.items)) at[i] = defaultOf(schema.items);
      applyDefaults(at[i] as Value, schema.items);
    });
  } else if (isObject(at as Json)) {
    const object = at as { [key: string]: Value };
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (property.default === undefined) continue;
      if (object[name] === undefined || isForbiddenNull(object[name], property))
        object[name] = defaultOf(property);
    }
    for (const name of Object.keys(object)) {
      const property = schema.properties?.[name];
      const additional = structuralOf(schema.additionalProperties);
      if (property !== undefined) applyDefaults(object[name] as Value, property);
      else {
        if (isForbiddenNull(object[name] as Value, additional)) object[name] = defaultOf(additional);
        applyDefaults(object[name] as Value, additional);
      }
    }
  }
}

/** `defaulting.PruneDefaults`. */
function withPrunedDefaults(schema: Declared): Declared {
  const pruned: Declared = { ...schema };
  if (schema.default !== undefined) {
    const value = structuredClone(schema.default) as Value;
    prune(value, schema, "", []);
    pruned.default = value as Json;
  }
  if (schema.items !== undefined) pruned.items = withPrunedDefaults(schema.items);
  if (isObject(schema.additionalProperties as Json))
    pruned.additionalProperties = withPrunedDefaults(schema.additionalProperties as Declared);
  if (schema.properties !== undefined) {
    const properties = Object.entries(schema.properties);
    pruned.properties = Object.fromEntries(
      properties.map(([name, each]) => [name, withPrunedDefaults(each)]),
    );
  }
  return pruned;
}

function isForbiddenNull(value: Value, schema: Declared | undefined): boolean {
  return value === null && schema !== undefined && !schema.nullable;
}

function defaultOf(schema: Declared | undefined): Value {
  return schema?.default === undefined ? null : (structuredClone(schema.default) as Value);
}

function structuralOf(additional: Declared | true | undefined): Declared | undefined {
  return additional === true ? undefined : additional;
}

function withoutNulls(value: Value): Value {
  if (value === null) return 0;
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value as Json)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutNulls(inner)]));
}
