import { describe, expect, test } from "vitest";
import type { Json } from "../json.ts";
import { deepFreeze } from "../json.ts";
import { normalize } from "./normalize.ts";
import { compileSchema } from "./schema.ts";
import { validateSchema } from "./validate.ts";

describe("pruning and defaulting", () => {
  const schema = compileSchema({
    type: "object",
    properties: {
      mode: { type: "string", default: "auto" },
      note: { type: "string", nullable: true },
      nick: { type: "string", nullable: true, default: "nobody" },
      box: { type: "object", default: {}, properties: { width: { type: "integer", default: 10 } } },
      lid: { type: "object", properties: { color: { type: "string", default: "red" } } },
      parts: { type: "array", items: { type: "object", properties: { n: { type: "integer", default: 1 } } } },
      limits: {
        type: "object",
        additionalProperties: { type: "object", properties: { soft: { type: "integer", default: 0 } } },
      },
      free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      extra: { type: "object", additionalProperties: true },
    },
  });
  const filled = { mode: "auto", nick: "nobody", box: { width: 10 } };

  test.each<{ name: string; input: Json; want: Json }>([
    { name: "absent fields get their defaults, nested ones too", input: {}, want: filled },
    {
      name: "an absent object without default stays absent",
      input: { lid: {} },
      want: { ...filled, lid: { color: "red" } },
    },
    { name: "unknown fields go", input: { bogus: 1, box: { height: 2 } }, want: filled },
    {
      name: "null becomes the default where it is not allowed",
      input: { mode: null, box: null },
      want: filled,
    },
    { name: "null goes where it is not allowed and there is no default", input: { lid: null }, want: filled },
    {
      name: "null stays where it is allowed",
      input: { note: null, nick: null },
      want: { ...filled, note: null, nick: null },
    },
    {
      name: "items get defaults",
      input: { parts: [{}, { n: 2, m: 3 }] },
      want: { ...filled, parts: [{ n: 1 }, { n: 2 }] },
    },
    {
      name: "values of a map get defaults",
      input: { limits: { cpu: {} } },
      want: { ...filled, limits: { cpu: { soft: 0 } } },
    },
    {
      name: "preserved fields are kept whole",
      input: { free: { a: { b: [null] } } },
      want: { ...filled, free: { a: { b: [null] } } },
    },
    {
      name: "additionalProperties: true keeps keys and prunes what is beneath",
      input: { extra: { a: { b: 1 }, c: 2 } },
      want: { ...filled, extra: { a: {}, c: 2 } },
    },
  ])("$name", ({ input, want }) => {
    expect(normalize(schema, input, "")).toEqual(want);
  });

  test("a word that YAML took for a boolean is the word again, where only words are allowed", () => {
    const modes = compileSchema({
      type: "object",
      properties: {
        sandbox: { type: "string", enum: ["Required", "Off"] },
        both: { type: "string", enum: ["Off", "No"] },
        any: { type: "string" },
      },
    });
    expect(normalize(modes, { sandbox: false, both: false, any: false }, "")).toEqual({
      sandbox: "Off",
      both: false,
      any: false,
    });
    expect(normalize(modes, { sandbox: true }, "")).toEqual({ sandbox: true });
  });

  test("the paths of what goes are told", () => {
    const dropped: string[] = [];
    normalize(schema, { bogus: 1, box: { height: 2 }, parts: [{ n: 1 }, { m: 1 }] }, "", dropped);
    expect(dropped).toEqual(["bogus", "box.height", "parts[1].m"]);
  });

  test("a frozen value that needs nothing is shared, any other is copied", () => {
    const complete = deepFreeze({ ...filled, parts: [{ n: 1 }] });
    expect(normalize(schema, complete, "")).toBe(complete);
    const open = { ...filled, box: { width: 10 }, parts: complete.parts };
    const copy = normalize(schema, open, "") as typeof open;
    expect(copy).not.toBe(open);
    expect(copy.parts).toBe(complete.parts);
    expect(copy.box).not.toBe(open.box);
  });

  test("an own __proto__ key neither stays nor becomes the prototype", () => {
    const hostile = JSON.parse('{"free": {"__proto__": {"polluted": true}, "a": 1}}');
    const result = normalize(schema, hostile, "") as { free: { polluted?: boolean } };
    expect(result.free).toEqual({ a: 1 });
    expect(result.free.polluted).toBeUndefined();
  });
});

describe("validation", () => {
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
      want: ["ratio: Invalid value: 0: ratio in body should be greater than 0"],
    },
    {
      name: "no multiple",
      input: { ratio: 0.7 },
      want: ["ratio: Invalid value: 0.7: ratio in body should be a multiple of 0.5"],
    },
    {
      name: "a fraction for an integer",
      input: { count: 1.5 },
      want: ['count: Invalid value: "number": count in body must be of type integer: "number"'],
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
    const errors = validateSchema(schema, { name: "abc", ...input }, undefined);
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
  });

  test("a part that was invalid before and did not change is let be, another is not", () => {
    const old = { name: "abcdef", parts: [{ id: 1, n: 9 }], count: 99 };
    const errors = validateSchema(schema, { ...old, parts: [{ id: 2 }, { id: 1, n: 9 }], count: 98 }, old);
    expect(errors.map(({ field }) => field)).toEqual(["count"]);
  });
});
