import { describe, expect, test } from "vitest";
import type { Json } from "../json.ts";
import { validateSchema } from "./check-schema.ts";
import { validateListTypes } from "./list-types.ts";
import { compileSchema } from "./schema.ts";

describe("checking against a schema", () => {
  const schema = compileSchema({
    type: "object",
    required: ["name"],
    properties: {
      name: { type: "string", minLength: 2, maxLength: 5 },
      count: { type: "integer", minimum: 1, maximum: 9 },
      ratio: { type: "number", minimum: 0, exclusiveMinimum: true, multipleOf: 0.5 },
      mode: { type: "string", enum: ["on", "off"] },
      when: { type: "string", format: "date-time" },
      port: { "x-kubernetes-int-or-string": true },
      tags: { type: "array", maxItems: 2, "x-kubernetes-list-type": "set", items: { type: "string" } },
      pairs: {
        type: "array",
        "x-kubernetes-list-type": "set",
        items: {
          type: "object",
          "x-kubernetes-map-type": "atomic",
          additionalProperties: { type: "integer" },
        },
      },
      parts: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["id", "kind"],
        items: {
          type: "object",
          required: ["id"],
          properties: {
            id: { type: "integer" },
            kind: { type: "string" },
            n: { type: "integer", maximum: 3 },
          },
        },
      },
      one: {
        type: "object",
        properties: { a: { type: "integer" }, b: { type: "integer" } },
        oneOf: [{ required: ["a"] }, { required: ["b"] }],
      },
    },
  });

  test.each<{ name: string; input: { [key: string]: Json }; want: string[] }>([
    {
      name: "a valid value",
      input: { count: 9, ratio: 1.5, mode: "on", when: "2026-01-02T03:04:05Z", port: "http", tags: ["a"] },
      want: [],
    },
    { name: "a length counts code points", input: { name: "😀😀😀😀😀" }, want: [] },
    {
      name: "too short",
      input: { name: "a" },
      want: ['name: Invalid value: "a": name in body should be at least 2 chars long'],
    },
    { name: "too long", input: { name: "abcdef" }, want: ["name: Too long: may not be more than 5 bytes"] },
    {
      name: "below its minimum",
      input: { count: 0 },
      want: ["count: Invalid value: 0: count in body should be greater than or equal to 1"],
    },
    {
      name: "at an exclusive minimum",
      input: { ratio: 0 },
      want: [
        "ratio: Invalid value: 0: factor MultipleOf declared for ratio must be positive: 0",
        "ratio: Invalid value: 0: ratio in body should be greater than 0",
      ],
    },
    {
      name: "no multiple",
      input: { ratio: 0.7 },
      want: ["ratio: Invalid value: 0.7: ratio in body should be a multiple of 0.5"],
    },
    {
      name: "a fraction for an integer",
      input: { count: 1.5 },
      want: [
        'count: Invalid value: "number": count in body must be of type integer: "number"',
        '<nil>: Invalid value: "": Checked value must be of type integer (default format) in count',
      ],
    },
    {
      name: "a string for an integer",
      input: { count: "1" },
      want: ['count: Invalid value: "string": count in body must be of type integer: "string"'],
    },
    {
      name: "null where it is not allowed",
      input: { tags: [null] },
      want: ['tags[0]: Invalid value: "null": tags[0] in body must be of type string: "null"'],
    },
    {
      name: "not one of an enum",
      input: { mode: "up" },
      want: ['mode: Unsupported value: "up": supported values: "on", "off"'],
    },
    {
      name: "a date-time without zone",
      input: { when: "2026-01-02T03:04:05" },
      want: [
        'when: Invalid value: "2026-01-02T03:04:05": when in body must be of type date-time: "2026-01-02T03:04:05"',
      ],
    },
    {
      name: "neither integer nor string",
      input: { port: true },
      want: ['port: Invalid value: "boolean": port in body must be of type integer,string: "boolean"'],
    },
    { name: "a set with a duplicate", input: { tags: ["a", "a"] }, want: ['tags[1]: Duplicate value: "a"'] },
    {
      name: "a set with an object twice, its keys in another order",
      input: {
        pairs: [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
          { b: 2, a: 1 },
        ],
      },
      want: ['pairs[1]: Duplicate value: {"a":1,"b":2}'],
    },
    {
      name: "too many items",
      input: { tags: ["a", "b", "c"] },
      want: ["tags: Too many: 3: must have at most 2 items"],
    },
    {
      name: "a map with a duplicate",
      input: {
        parts: [
          { id: 1, kind: "x" },
          { id: 1, kind: "y" },
          { id: 1, kind: "x" },
        ],
      },
      want: ['parts[2]: Duplicate value: {"id":1,"kind":"x"}'],
    },
    {
      name: "a missing field of an item",
      input: { parts: [{ kind: "x" }] },
      want: ["parts[0].id: Required value"],
    },
    {
      name: "both of a oneOf",
      input: { one: { a: 1, b: 2 } },
      want: [
        '<nil>: Invalid value: "": "one" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    },
  ])("$name", ({ input, want }) => {
    const value = { name: "abc", ...input };
    const errors = [...validateSchema(schema, value, undefined), ...validateListTypes(schema, value)];
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
  });

  test("a part that was invalid before and did not change is let be, another is not", () => {
    const old = { name: "abcdef", parts: [{ id: 1, kind: "x", n: 9 }], count: 99 };
    const parts = [{ id: 2, kind: "x" }, ...old.parts];
    const errors = validateSchema(schema, { ...old, parts, count: 98 }, old);
    expect(errors.map(({ field }) => field)).toEqual(["count"]);
  });
});

describe("as the tests of apiextensions-apiserver have it", () => {
  const intOrString = { nullable: true, "x-kubernetes-int-or-string": true };
  const either = { anyOf: [{ type: "integer" }, { type: "string" }] };
  const notEither = '<nil>: Invalid value: "": "field" must validate at least one schema (anyOf)';
  const notAll = '<nil>: Invalid value: "": "field" must validate all the schemas (allOf). None validated';
  const noInteger =
    '<nil>: Invalid value: "": Checked value must be of type integer (default format) in field';
  const not = (types: string, found: string) =>
    `field: Invalid value: "${found}": field in body must be of type ${types}: "${found}"`;

  test.each<{ name: string; schema: Json; valid?: Json[]; invalid?: [value: Json, ...want: string[]][] }>([
    {
      name: "an object",
      schema: { type: "object" },
      valid: [{}],
      invalid: [
        ["foo", not("object", "string")],
        [42, not("object", "integer")],
        [true, not("object", "boolean")],
        [1.2, not("object", "number")],
        [[], not("object", "array")],
        [null, not("object", "null")],
      ],
    },
    { name: "nullable without a type", schema: { nullable: true }, valid: [null, 1, "a", [], {}, true] },
    {
      name: "an integer or a string",
      schema: { "x-kubernetes-int-or-string": true },
      valid: [42, "foo"],
      invalid: [
        [null, not("integer,string", "null")],
        [1.2, not("integer,string", "number")],
      ],
    },
    {
      name: "an integer or a string, said again",
      schema: { ...intOrString, ...either },
      valid: [null, 42, "foo"],
      invalid: [
        [true, notEither, not("integer,string", "boolean"), not("integer", "boolean")],
        [1.2, notEither, not("integer,string", "number"), not("integer", "number"), noInteger],
        [{}, notEither, not("integer,string", "object"), not("integer", "object")],
      ],
    },
    {
      name: "an integer or a string, said again in an allOf",
      schema: { ...intOrString, allOf: [either] },
      valid: [null, 42, "foo"],
      invalid: [
        [true, notAll, notEither, not("integer,string", "boolean"), not("integer", "boolean")],
        [1.2, notAll, notEither, not("integer,string", "number"), not("integer", "number"), noInteger],
      ],
    },
    {
      name: "what is required",
      schema: { type: "object", required: ["nested"], properties: { nested: {} } },
      invalid: [[{}, "field.nested: Required value"]],
    },
    {
      name: "an enum of integers",
      schema: { type: "integer", enum: [1, 2] },
      invalid: [["x", not("integer", "string"), 'field: Unsupported value: "x": supported values: "1", "2"']],
    },
    {
      name: "an enum of strings",
      schema: { type: "string", enum: ["a", "b"] },
      invalid: [
        [true, not("string", "boolean"), 'field: Unsupported value: true: supported values: "a", "b"'],
      ],
    },
    {
      name: "too many properties",
      schema: { type: "object", additionalProperties: { type: "boolean" }, maxProperties: 2 },
      invalid: [[{ a: true, b: true, c: true }, "field: Too many: 3: must have at most 2 items"]],
    },
    {
      name: "numbers of a size",
      schema: {
        type: "object",
        properties: {
          int32: { type: "integer", format: "int32" },
          int64: { type: "integer", format: "int64" },
          float: { type: "number", format: "float" },
          double: { type: "number", format: "double" },
        },
      },
      valid: [
        { int32: -(2 ** 31), int64: -(2n ** 63n) as never, float: -3.4028234663852886e38, double: -1.7e308 },
        { int32: 2 ** 31 - 1, int64: (2n ** 63n - 1n) as never, float: 3.4028234663852886e38 },
      ],
      invalid: [
        [
          { int32: 2 ** 31 },
          '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in field.int32',
        ],
        [
          { int64: 2 ** 63 * 1.1 },
          '<nil>: Invalid value: "": Checked value must be of type integer with format int64 in field.int64',
          'field.int64: Invalid value: "float64": field.int64 in body must be of type int64: "float64"',
        ],
        [
          { float: 3.5e38 },
          '<nil>: Invalid value: "": Checked value must be of type number with format float in field.float',
        ],
      ],
    },
  ])("$name", ({ schema, valid = [], invalid = [] }) => {
    const compiled = compileSchema({ type: "object", properties: { field: schema } });
    const faults = (field: Json) =>
      validateSchema(compiled, { field }, undefined)
        .map((error) => `${error.field}: ${error.message}`)
        .sort();
    for (const value of valid) expect(faults(value)).toEqual([]);
    for (const [value, ...want] of invalid) expect(faults(value)).toEqual(want.sort());
  });
});
