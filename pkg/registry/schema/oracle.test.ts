/**
 * The schema check against ajv, which implements JSON Schema independently: whatever the schema and the value, both find
 * it valid or both don't. Left out is where kube-apiserver departs from JSON Schema: formats, integers beyond 64 bits, and bounds with a
 * fraction.
 */
import { Ajv } from "ajv";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { validateSchema } from "./check-schema.ts";
import { compileSchema } from "./schema.ts";

type Declared = { [key: string]: Json };

const key = fc.constantFrom("a", "b", "c");
const scalar = fc.oneof(
  fc.integer({ min: -3, max: 6 }),
  fc.constantFrom(0.5, 2.5, 1e-7),
  fc.stringMatching(/^[abä😀]{0,4}$/u),
  fc.boolean(),
  fc.constant(null),
);
const value = fc.letrec<{ any: Json }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("any"), { maxLength: 4 }),
    fc.dictionary(key, tie("any"), { maxKeys: 3 }) as fc.Arbitrary<Json>,
  ),
})).any;

const bound = fc.integer({ min: -2, max: 4 });
const size = fc.integer({ min: 0, max: 3 });

/** What a schema may say of a value beside its type, with alternatives so deep. */
function said(depth: number): fc.Arbitrary<Declared> {
  const plain = {
    minimum: bound,
    maximum: bound,
    exclusiveMinimum: fc.boolean(),
    exclusiveMaximum: fc.boolean(),
    minLength: size,
    maxLength: size,
    pattern: fc.constantFrom("^a", "b$", "^[ab]*$"),
    minItems: size,
    maxItems: size,
    minProperties: size,
    maxProperties: size,
    required: fc.uniqueArray(key, { maxLength: 2 }),
    enum: fc.uniqueArray(fc.constantFrom<Json>(0, 1, 2, "a", "b", true), { minLength: 1, maxLength: 3 }),
  };
  if (depth === 0) return some(plain);
  const inner = said(depth - 1);
  const several = fc.array(inner, { minLength: 1, maxLength: 3 });
  const properties = fc.dictionary(key, inner, { maxKeys: 2 });
  return some({ ...plain, allOf: several, anyOf: several, oneOf: several, not: inner, properties });
}

/** Two at most of the keys, so that not everything is refused. */
function some(keys: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Declared> {
  return fc
    .uniqueArray(fc.constantFrom(...Object.keys(keys)), { maxLength: 2 })
    .chain((chosen) =>
      fc.record(Object.fromEntries(chosen.map((each) => [each, keys[each] as fc.Arbitrary<Json>]))),
    );
}

function structural(depth: number): fc.Arbitrary<Declared> {
  const scalars = fc
    .constantFrom("string", "integer", "number", "boolean")
    .map((type): Declared => ({ type }));
  const inner = depth === 0 ? undefined : structural(depth - 1);
  const structure =
    inner === undefined
      ? scalars
      : fc.oneof(
          scalars,
          inner.map((items): Declared => ({ type: "array", items })),
          fc
            .dictionary(key, inner, { maxKeys: 3 })
            .map((properties): Declared => ({ type: "object", properties })),
          inner.map((additionalProperties): Declared => ({ type: "object", additionalProperties })),
        );
  return fc
    .tuple(said(depth), fc.boolean(), structure)
    .map(([{ properties: _properties, ...rest }, nullable, typed]) => ({
      ...rest,
      ...(nullable ? { nullable } : {}),
      ...typed,
    }));
}

test("a schema allows what JSON Schema's allows", () => {
  const ajv = new Ajv({ strict: false, unicodeRegExp: true });
  fc.assert(
    fc.property(structural(2), fc.array(value, { minLength: 1, maxLength: 5 }), (declared, values) => {
      const schema = compileSchema(declared);
      const allows = ajv.compile(forAjv(declared));
      ajv.removeSchema();
      for (const each of values) {
        const errors = validateSchema(schema, each, undefined);
        expect({ value: each, valid: errors.length === 0 }).toEqual({ value: each, valid: allows(each) });
      }
    }),
    { numRuns: 500 },
  );
});

test("what was valid before and did not change is valid after, whatever the schema says of its fields", () => {
  fc.assert(
    fc.property(structural(2), value, (declared, each) => {
      fc.pre(describes(declared, each));
      const copy = JSON.parse(JSON.stringify(each)) as Json;
      expect(validateSchema(compileSchema(declared), each, copy)).toEqual([]);
    }),
  );
});

/** Whether there is a word on each field. A list is looked at as one: its items are not told from each other. */
function describes(declared: Declared, each: Json): boolean {
  if (!isObject(each)) return true;
  const properties = (declared.properties ?? {}) as Record<string, Declared>;
  return Object.entries(each).every(([name, part]) => {
    const described = properties[name] ?? (declared.additionalProperties as Declared | undefined);
    return described !== undefined && describes(described, part);
  });
}

/**
 * The schema in JSON Schema's words of today: exclusive bounds are numbers, and null is a type. Of null, only type and
 * enum are checked, and an enum never has it.
 */
function forAjv(declared: Declared): JsonObject {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, nullable, ...rest } = declared;
  const translated: Record<string, Json> = { ...rest };
  if (minimum !== undefined) translated[exclusiveMinimum === true ? "exclusiveMinimum" : "minimum"] = minimum;
  if (maximum !== undefined) translated[exclusiveMaximum === true ? "exclusiveMaximum" : "maximum"] = maximum;
  for (const each of ["allOf", "anyOf", "oneOf"]) {
    if (Array.isArray(rest[each])) translated[each] = rest[each].map((part) => forAjv(part as Declared));
  }
  for (const each of ["not", "items", "additionalProperties"]) {
    if (rest[each] !== undefined) translated[each] = forAjv(rest[each] as Declared);
  }
  if (rest.properties !== undefined) {
    const properties = Object.entries(rest.properties as Declared);
    translated.properties = Object.fromEntries(
      properties.map(([name, part]) => [name, forAjv(part as Declared)]),
    );
  }
  const nullPasses = (rest.type === undefined || nullable === true) && rest.enum === undefined;
  return nullPasses ? { anyOf: [{ type: "null" }, translated] } : translated;
}
