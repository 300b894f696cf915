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
    const old = { name: "abcdef", parts: [{ id: 1, n: 9 }], count: 99 };
    const errors = validateSchema(schema, { ...old, parts: [{ id: 2 }, { id: 1, n: 9 }], count: 98 }, old);
    expect(errors.map(({ field }) => field)).toEqual(["count"]);
  });
});
