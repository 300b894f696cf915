import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deepFreeze, type JsonObject } from "../json.ts";
import { customResourceDefinition } from "./kinds/apiextensions.ts";
import { event } from "./kinds/core.ts";
import { readTyped } from "./read.ts";
import { parseTime } from "./time.ts";
import { bool, float64, int32, list, map, microTime, omitempty, pointer, string, struct } from "./types.ts";

const inner = struct("Inner", { text: omitempty(1, string), at: pointer(2, microTime) });
const outer = struct("Outer", {
  count: omitempty(1, int32),
  zero: pointer(2, int32),
  flag: omitempty(3, bool),
  inner: omitempty(4, inner),
  maybe: pointer(5, inner),
  words: omitempty(6, list(string)),
  labels: omitempty(7, map(string)),
  inners: omitempty(8, list(inner)),
  ratio: pointer(9, float64),
});

describe("reading", () => {
  test.each<[string, JsonObject, JsonObject]>([
    ["structs are always there", {}, { inner: {} }],
    ["what is empty goes", { count: 0, flag: false, words: [], labels: {}, inner: {} }, { inner: {} }],
    ["a pointer keeps its zero, and not null", { zero: 0, maybe: null }, { zero: 0, inner: {} }],
    [
      "null items become their zero",
      { words: ["a", null], inners: [null] },
      { inner: {}, words: ["a", ""], inners: [{}] },
    ],
    ["a float takes any number", { ratio: 2n ** 53n + 1n }, { inner: {}, ratio: 2 ** 53 }],
    ["unknown fields go", { other: 1, inner: { text: "a", more: 2 } }, { inner: { text: "a" } }],
  ])("%s", (_name, given, wanted) => {
    expect(readTyped(outer, given)).toEqual(wanted);
  });

  test("unknown fields are named by path", () => {
    const dropped: string[] = [];
    readTyped(outer, { other: 1, inners: [{}, { more: 2 }] }, dropped);
    expect(dropped).toEqual(["other", "inners[1].more"]);
  });

  test.each<[JsonObject, string]>([
    [{ count: "1" }, "json: cannot unmarshal string into Go struct field Outer.count of type int32"],
    [{ count: 1.5 }, "json: cannot unmarshal number 1.5 into Go struct field Outer.count of type int32"],
    [
      { count: 2 ** 31 },
      "json: cannot unmarshal number 2147483648 into Go struct field Outer.count of type int32",
    ],
    [{ inner: [] }, "json: cannot unmarshal array into Go struct field Outer.inner of type v1.Inner"],
    [
      { inners: [{ text: true }] },
      "json: cannot unmarshal bool into Go struct field Inner.inners.text of type string",
    ],
    [{ words: {} }, "json: cannot unmarshal object into Go struct field Outer.words of type []string"],
    [
      { maybe: { at: 1 } },
      "json: cannot unmarshal number into Go struct field Inner.maybe.at of type string",
    ],
  ])("%o is refused", (given, message) => {
    expect(() => readTyped(outer, given)).toThrow(new TypeError(message));
  });

  test("what was read reads the same again, and as the same object when it is frozen", () => {
    const value = fc.record(
      {
        reason: fc.string(),
        count: fc.integer({ min: -5, max: 5 }),
        series: fc.option(fc.record({ count: fc.integer({ min: 0, max: 3 }) })),
        involvedObject: fc.record({ name: fc.string(), extra: fc.boolean() }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(value, (given) => {
        const once = deepFreeze(readTyped(event, given as unknown as JsonObject));
        expect(readTyped(event, once)).toBe(once);
      }),
    );
  });

  test("a schema within a schema within a definition is read all the way down", () => {
    const schema = {
      type: "object",
      nullable: false,
      properties: { a: { items: { type: "string", bogus: 1 } } },
    };
    const dropped: string[] = [];
    const spec = { group: "g", versions: [{ name: "v1", schema: { openAPIV3Schema: schema } }] };
    const read = readTyped(customResourceDefinition, { spec }, dropped) as never as {
      spec: { versions: { schema: object }[] };
    };
    expect(read.spec.versions[0]?.schema).toEqual({
      openAPIV3Schema: { type: "object", properties: { a: { items: { type: "string" } } } },
    });
    expect(dropped).toEqual(["spec.versions[0].schema.openAPIV3Schema.properties.a.items.bogus"]);
  });
});

describe("times", () => {
  test.each([
    ["2020-01-01T00:00:00Z", false, "2020-01-01T00:00:00Z"],
    ["2020-01-01T00:00:00.999+02:00", false, "2019-12-31T22:00:00Z"],
    ["2020-01-01T01:00:00.000001+01:00", true, "2020-01-01T00:00:00.000001Z"],
  ])("%s becomes one in UTC", (text, micro, wanted) => {
    expect(parseTime(text, micro)).toBe(wanted);
  });

  test.each([
    ["2020-01-01", false, 'as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
    ["2020-01-01T00:00:00Z", true, 'as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"'],
    ["2020-13-01T00:00:00Z", false, ": month out of range"],
    ["2020-02-30T00:00:00Z", false, ": day out of range"],
    ["2020-01-01T00:00:00Zx", false, ': extra text: "x"'],
  ])("%s is refused", (text, micro, why) => {
    expect(() => parseTime(text, micro)).toThrow(why);
  });
});
