import { describe, expect, test } from "vitest";
import { isObject, type Json } from "../json.ts";
import { compileSchema } from "../schema/schema.ts";
import { validateRules } from "../schema/validate.ts";

describe("rules", () => {
  const errorsOf = (rule: object, value: Json, old?: Json): string[] => {
    const property = { "x-kubernetes-validations": [{ message: "no", ...rule }] };
    const of = (name: string) => (isObject(value) && name in value ? property : {});
    const schema = compileSchema({
      type: "object",
      properties: {
        n: { type: "integer", ...of("n") },
        s: { type: "string", ...of("s") },
        o: {
          type: "object",
          properties: { n: { type: "integer" }, at: { type: "string", format: "date-time" } },
          ...of("o"),
        },
      },
    });
    return validateRules(schema, value, old).map(({ field, message }) => `${field}: ${message}`);
  };

  test.each<{ name: string; rule: object; value: Json; old?: Json; want: string[] }>([
    { name: "integers are CEL's int", rule: { rule: "self + 1 == 3" }, value: { n: 2 }, want: [] },
    {
      name: "a scalar is repeated in the message",
      rule: { rule: "self > 2" },
      value: { n: 2 },
      want: ["n: Invalid value: 2: no"],
    },
    {
      name: "an object is not",
      rule: { rule: "self.n > 2" },
      value: { o: { n: 2 } },
      want: ["o: Invalid value: no"],
    },
    {
      name: "a message can be computed",
      rule: { rule: "self > 2", messageExpression: "'got ' + string(self)" },
      value: { n: 2 },
      want: ["n: Invalid value: 2: got 2"],
    },
    {
      name: "a message that cannot be computed falls back",
      rule: { rule: "self > 2", messageExpression: "string(1 / (self - 2))" },
      value: { n: 2 },
      want: ["n: Invalid value: 2: no"],
    },
    {
      name: "reason and field can be said",
      rule: { rule: "false", reason: "FieldValueForbidden", fieldPath: ".n" },
      value: { o: {} },
      want: ["o.n: Forbidden: no"],
    },
    {
      name: "an error in a rule refuses",
      rule: { rule: "10 / self > 0" },
      value: { n: 0 },
      want: ['n: Invalid value: "integer": division by zero evaluating rule: no'],
    },
    {
      name: "a transition rule waits for a value before",
      rule: { rule: "self == oldSelf" },
      value: { n: 1 },
      want: [],
    },
    {
      name: "a transition rule compares",
      rule: { rule: "self >= oldSelf" },
      value: { n: 1 },
      old: { n: 2 },
      want: ["n: Invalid value: 1: no"],
    },
    {
      name: "an unchanged part is not judged again",
      rule: { rule: "false" },
      value: { n: 1 },
      old: { n: 1 },
      want: [],
    },
    {
      name: "optionalOldSelf sees creation",
      rule: { rule: "oldSelf.hasValue() || self == 1", optionalOldSelf: true },
      value: { n: 2 },
      want: ["n: Invalid value: 2: no"],
    },
    {
      name: "date-times are timestamps",
      rule: { rule: "self.at < timestamp('2026-01-01T00:00:00Z')" },
      value: { o: { at: "2026-06-01T00:00:00Z" } },
      want: ["o: Invalid value: no"],
    },
    {
      name: "matches can be chained and nested",
      rule: { rule: "(self + 'b').matches('^a+b$') && [self].all(x, x.matches('a'))" },
      value: { s: "aa" },
      want: [],
    },
  ])("$name", ({ rule, value, old, want }) => {
    expect(errorsOf(rule, value, old)).toEqual(want);
  });

  test("a pattern that backtracks is matched in linear time", () => {
    const text = `${"a".repeat(5_000)}!`;
    // A backtracking engine would need more steps than there are atoms.
    expect(errorsOf({ rule: "self.matches('^(a+)+$')" }, { s: text })).toHaveLength(1);
  });

  test("a rule that is not valid is refused with its place", () => {
    const schema = {
      type: "object",
      properties: { n: { type: "integer", "x-kubernetes-validations": [{ rule: "self.bogus(" }] } },
    };
    expect(() => compileSchema(schema)).toThrow(
      /^Schema at properties\[n\]\.x-kubernetes-validations\[0\]\.rule: The rule `self\.bogus\(` is not valid: /,
    );
  });
});
