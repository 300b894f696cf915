import { describe, expect, test } from "vitest";
import { deepFreeze, isObject, type Json, type JsonObject } from "../json.ts";
import { compileSchema, ruleFaults } from "../schema/schema.ts";
import { validateRules } from "../schema/validate.ts";
import { checkRules } from "./check-rules.ts";

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

describe("the values that rules see", () => {
  const item = { type: "object", properties: { k: { type: "string" }, n: { type: "integer" } } };
  const schema = {
    type: "object",
    properties: {
      date: { type: "string", format: "date" },
      span: { type: "string", format: "duration" },
      bytes: { type: "string", format: "byte" },
      ratio: { type: "number" },
      either: { "x-kubernetes-int-or-string": true },
      empty: { type: "string", nullable: true },
      set: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
      map: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        items: item,
      },
      list: { type: "array", items: { type: "string" } },
      labels: { type: "object", additionalProperties: { type: "string" } },
      inner: { type: "object", "x-kubernetes-embedded-resource": true, properties: { spec: item } },
      "dash-and.dot/slash": { type: "integer" },
      namespace: { type: "string" },
      __under: { type: "string" },
    },
  };
  const value: Json = {
    date: "2024-02-29",
    span: "1h30m",
    bytes: "aGk=",
    ratio: 2,
    either: 5,
    empty: null,
    set: ["a", "b"],
    map: [
      { k: "x", n: 1 },
      { k: "y", n: 2 },
    ],
    list: ["a", "b"],
    labels: { "a/b": "c" },
    inner: { apiVersion: "v1", kind: "Pod", metadata: { name: "pod" }, spec: { k: "v" } },
    "dash-and.dot/slash": 1,
    namespace: "ns",
    __under: "u",
    metadata: { name: "whole" },
  };

  test.each([
    "self.date.getFullYear() == 2024 && self.span == duration('90m') && self.bytes == b'hi' && self.ratio == 2.0",
    "type(self.either) == int && self.either > 4",
    "!has(self.empty) && has(self.ratio)",
    "self.set == ['b', 'a'] && self.list != ['b', 'a'] && self.set + ['b', 'c'] == ['c', 'b', 'a']",
    "self.map == [self.map[1], self.map[0]] && (self.map + [self.map[0]]).size() == 2",
    "self.labels['a/b'] == 'c' && self.labels.all(key, key.startsWith('a')) && 'a/b' in self.labels",
    "self.inner.kind == 'Pod' && self.inner.metadata.name == 'pod' && self.inner.spec.k == 'v'",
    "self.dash__dash__and__dot__dot__slash__slash == 1",
    "self.__namespace__ == 'ns' && self.namespace == 'ns' && self.__underscores__under == 'u'",
    "self.metadata.name == 'whole' && !has(self.metadata.generateName)",
    "self.labels.transformList(k, v, k + v) == ['a/bc'] && self.map.map(m, m.n).sum() == 3",
  ])("%s", (rule) => {
    const compiled = compileSchema({ ...schema, "x-kubernetes-validations": [{ rule }] });
    expect(validateRules(compiled, value, undefined)).toEqual([]);
  });

  test.each([
    ["self.metadata.labels == {}", "undefined field 'labels'"],
    ["self.nope == 1", "undefined field 'nope'"],
    ["self.list.nope == 1", "type 'list(string)' does not support field selection"],
    ["self.date == '2024-02-29'", "applied to '(timestamp, string)'"],
    ["self.ratio", "cel expression must evaluate to a bool"],
  ])("%s is refused with the definition", (rule, why) => {
    expect(() => compileSchema({ ...schema, "x-kubernetes-validations": [{ rule }] })).toThrow(why);
  });
});

describe("rules of a change", () => {
  const changeRule = { "x-kubernetes-validations": [{ rule: "self >= oldSelf", message: "may only grow" }] };
  const number = { type: "integer", ...changeRule };
  const schema = compileSchema({
    type: "object",
    properties: {
      field: number,
      labels: { type: "object", additionalProperties: number },
      map: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        items: { type: "object", properties: { k: { type: "string" }, n: number } },
      },
    },
  });
  const broken = (value: Json, old: Json | undefined) =>
    validateRules(schema, value, old).map(({ field }) => field);

  test.each<{ name: string; value: Json; old: Json | undefined; want: string[] }>([
    { name: "a new object has none", value: { field: 1 }, old: undefined, want: [] },
    { name: "a new field has none", value: { field: 1 }, old: {}, want: [] },
    { name: "a field that was null has none", value: { field: 1 }, old: { field: null }, want: [] },
    { name: "a field is compared", value: { field: 1 }, old: { field: 2 }, want: ["field"] },
    {
      name: "values of a map are compared by key",
      value: { labels: { a: 1, b: 1 } },
      old: { labels: { a: 2 } },
      want: ["labels[a]"],
    },
    {
      name: "items of a map list are compared by their keys, wherever they stand",
      value: {
        map: [
          { k: "y", n: 1 },
          { k: "x", n: 1 },
        ],
      },
      old: {
        map: [
          { k: "x", n: 1 },
          { k: "y", n: 2 },
        ],
      },
      want: ["map[0].n"],
    },
  ])("$name", ({ value, old, want }) => {
    expect(broken(value, old)).toEqual(want);
  });

  test("where nothing tells what an item was, such a rule is refused", () => {
    const declared = { type: "object", properties: { list: { type: "array", items: number } } };
    expect(() => compileSchema(declared)).toThrow(
      "oldSelf cannot be used on the uncorrelatable portion of the schema within properties[list]",
    );
  });

  test("optionalOldSelf needs oldSelf", () => {
    const declared = {
      type: "object",
      "x-kubernetes-validations": [{ rule: "true", optionalOldSelf: true }],
    };
    expect(() => compileSchema(declared)).toThrow("may not be set if oldSelf is not used in rule");
  });
});

describe("items that may be null", () => {
  const nullable = (items: JsonObject): JsonObject => ({
    type: "array",
    items: { ...items, nullable: true },
  });
  const schema = {
    type: "object",
    properties: {
      times: nullable({ type: "string", format: "date-time" }),
      texts: nullable({ type: "string" }),
      lists: nullable({ type: "array", items: { type: "integer" } }),
    },
  };
  const value = { times: [null], texts: ["a", null], lists: [null] };

  test.each([
    ["self.times.all(time, time.getHours() == 0)", "no such overload: getHours(null_type)"],
    ["self.texts.all(text, text.size() > 0)", "no such overload: size"],
    ["self.texts.isSorted()", "no such overload"],
    ["self.texts.max() == 'a'", "no such overload"],
    ["self.texts.join() == 'a'", "join: invalid input: 0"],
    ["self.lists.all(list, list.sum() == 0)", "no such overload"],
  ])("%s", (rule, why) => {
    const { rules } = compileSchema({ ...schema, "x-kubernetes-validations": [{ rule }] });
    const { errors } = checkRules(rules, value, undefined);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining(why)]);
  });
});

describe("what did not change", () => {
  const never = { "x-kubernetes-validations": [{ rule: "false", message: "no" }] };
  const schema = compileSchema({
    type: "object",
    properties: {
      kind: { type: "string", ...never },
      field: { type: "string", ...never },
      list: { type: "array", items: { type: "string", ...never } },
      map: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        items: { type: "object", properties: { k: { type: "string" }, n: { type: "integer" } }, ...never },
      },
      broken: { type: "integer", "x-kubernetes-validations": [{ rule: "1 / self > 0" }] },
      free: { type: "object", "x-kubernetes-preserve-unknown-fields": true, ...never },
      change: { type: "string", "x-kubernetes-validations": [{ rule: "self != oldSelf" }] },
      parts: { type: "object", properties: { a: { type: "string" } }, allOf: [{ properties: { a: never } }] },
    },
  });
  const found = (value: Json, old: Json) => {
    const { errors, warnings } = checkRules(schema.rules, value, old);
    return { errors: errors.map(({ field }) => field), warnings: warnings.map(({ field }) => field) };
  };

  test.each<{ name: string; value: Json; old: Json; errors?: string[]; warnings?: string[] }>([
    { name: "is only warned of", value: { field: "a" }, old: { field: "a" }, warnings: ["field"] },
    { name: "is not what did", value: { field: "b" }, old: { field: "a" }, errors: ["field"] },
    {
      name: "in a list is told by the whole list",
      value: { list: ["a", "b"] },
      old: { list: ["a", "b"] },
      warnings: ["list[0]", "list[1]"],
    },
    {
      name: "in a list that changed counts",
      value: { list: ["a", "b"] },
      old: { list: ["a"] },
      errors: ["list[0]", "list[1]"],
    },
    {
      name: "in a map list is told by its keys",
      value: {
        map: [
          { k: "y", n: 2 },
          { k: "x", n: 1 },
        ],
      },
      old: {
        map: [
          { k: "x", n: 1 },
          { k: "y", n: 3 },
        ],
      },
      errors: ["map[0]"],
      warnings: ["map[1]"],
    },
    {
      name: "counts when the rule cannot be evaluated",
      value: { broken: 0 },
      old: { broken: 0 },
      errors: ["broken"],
    },
    {
      name: "counts for a rule of the change",
      value: { change: "a" },
      old: { change: "a" },
      errors: ["change"],
    },
    { name: "counts for an object's type", value: { kind: "A" }, old: { kind: "A" }, errors: ["kind"] },
    {
      name: "in a part of an allOf is told by what is around it",
      value: { parts: { a: "x" }, field: "b" },
      old: { parts: { a: "x" }, field: "a" },
      errors: ["parts.a", "field"],
    },
    {
      name: "in a part of an allOf is let be where all around it is the same",
      value: { parts: { a: "x" } },
      old: { parts: { a: "x" } },
      warnings: ["parts.a"],
    },
    {
      name: "in an object with fields that nothing describes counts",
      value: { free: { a: 1 } },
      old: { free: { a: 1 } },
      errors: ["free"],
    },
    {
      name: "in an object without them does not",
      value: { free: {} },
      old: { free: {} },
      warnings: ["free"],
    },
  ])("$name", ({ value, old, errors = [], warnings = [] }) => {
    expect(found(value, old)).toEqual({ errors, warnings });
  });

  test("counts for a whole object, whose metadata is another with each write", () => {
    const declared = { type: "object", properties: { metadata: { type: "object" } }, ...never };
    const whole = { metadata: { name: "a" } };
    expect(checkRules(compileSchema(declared).rules, whole, whole)).toMatchObject({
      errors: [{ field: "<nil>" }],
      warnings: [],
    });
  });

  test("frozen values that rules held for are not judged again, and cost the same", () => {
    const held = compileSchema({
      type: "object",
      properties: {
        spec: {
          type: "object",
          properties: { n: { type: "integer" } },
          "x-kubernetes-validations": [{ rule: "self.n > 0" }],
        },
      },
    });
    const value = deepFreeze({ spec: { n: 1 } });
    expect(checkRules(held.rules, value, undefined).errors).toEqual([]);
    expect(checkRules(held.rules, { spec: value.spec }, value).errors).toEqual([]);
    expect(checkRules(held.rules, { spec: { n: 0 } }, value).errors).toHaveLength(1);
  });
});

describe("what is said of a broken rule", () => {
  const said = (rule: object, value: Json = { n: 1, tags: { x: "y" } }): string[] => {
    const schema = compileSchema({
      type: "object",
      properties: {
        spec: {
          type: "object",
          properties: {
            n: { type: "integer" },
            tags: { type: "object", additionalProperties: { type: "string" } },
            "odd.name": { type: "object", properties: { deep: { type: "string" } } },
          },
          "x-kubernetes-validations": [{ rule: "self.n == 2", ...rule }],
        },
      },
    });
    return validateRules(schema, { spec: value }, undefined).map(
      ({ field, message }) => `${field}: ${message}`,
    );
  };

  test.each<{ name: string; rule: object; want: string }>([
    { name: "the rule itself", rule: {}, want: "spec: Invalid value: failed rule: self.n == 2" },
    {
      name: "its message, without blanks around",
      rule: { message: " no " },
      want: "spec: Invalid value: no",
    },
    {
      name: "what its messageExpression says",
      rule: { message: "no", messageExpression: "'got ' + string(self.n)" },
      want: "spec: Invalid value: got 1",
    },
    {
      name: "its message when that fails",
      rule: { message: "no", messageExpression: "string(1 / (self.n - 1))" },
      want: "spec: Invalid value: no",
    },
    {
      name: "its message when that is empty",
      rule: { message: "no", messageExpression: "' '" },
      want: "spec: Invalid value: no",
    },
    {
      name: "its message when that has lines",
      rule: { message: "no", messageExpression: "'a\\nb'" },
      want: "spec: Invalid value: no",
    },
    {
      name: "its message when that is too long",
      rule: { message: "no", messageExpression: "lists.range(5200).map(x, 'x').join()" },
      want: "spec: Invalid value: no",
    },
    { name: "a field beneath", rule: { fieldPath: ".n", message: "no" }, want: "spec.n: Invalid value: no" },
    {
      name: "a key beneath",
      rule: { fieldPath: ".tags['a b']", message: "no" },
      want: "spec.tags[a b]: Invalid value: no",
    },
    {
      name: "a field with an odd name",
      rule: { fieldPath: "['odd.name'].deep", message: "no" },
      want: "spec.odd.name.deep: Invalid value: no",
    },
    { name: "a reason", rule: { reason: "FieldValueDuplicate" }, want: "spec: Duplicate value" },
    {
      name: "another",
      rule: { reason: "FieldValueRequired", message: "no" },
      want: "spec: Required value: no",
    },
  ])("$name", ({ rule, want }) => {
    expect(said(rule)).toEqual([want]);
  });

  test.each([
    [{ fieldPath: ".nope" }, "must be a valid path"],
    [{ fieldPath: "n" }, "must be a valid path"],
    [{ reason: "Nope" }, "Unsupported value"],
    [{ message: "a\nb" }, "must not contain line breaks"],
    [{ message: " " }, "must be non-empty if specified"],
    [{ rule: " " }, "rule is not specified"],
    [{ rule: "true\n|| false" }, "message must be specified if rule contains line breaks"],
    [{ messageExpression: "1" }, "messageExpression must evaluate to a string"],
    [
      { messageExpression: "self.nope" },
      "messageExpression compilation failed: ERROR: <input>:1:5: undefined field 'nope'",
    ],
  ])("%j is refused with the definition", (rule, why) => {
    expect(() => said(rule)).toThrow(why);
  });

  test("all that is wrong with a schema's rules is told at once, each with its place", () => {
    const declared = {
      type: "object",
      properties: {
        a: {
          type: "string",
          "x-kubernetes-validations": [{ rule: "self > 1" }, { rule: "true" }, { rule: "self" }],
        },
        b: {
          type: "array",
          items: { type: "integer", "x-kubernetes-validations": [{ rule: "self == oldSelf" }] },
        },
      },
    };
    expect(ruleFaults(declared, "spec.schema").map(({ field }) => field)).toEqual([
      "spec.schema.properties[a].x-kubernetes-validations[0].rule",
      "spec.schema.properties[a].x-kubernetes-validations[2].rule",
      "spec.schema.properties[b].items.x-kubernetes-validations[0].rule",
    ]);
  });
});
