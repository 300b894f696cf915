import { expect, test } from "vitest";
import type { Json } from "../json.ts";
import { compileSchema } from "../schema/schema.ts";
import { checkRules } from "./check-rules.ts";

const schemaWith = (rule: string) =>
  compileSchema({
    type: "object",
    properties: {
      spec: {
        type: "object",
        properties: {
          text: { type: "string" },
          pattern: { type: "string" },
          words: { type: "array", items: { type: "string" } },
          numbers: { type: "array", items: { type: "integer" } },
          map: { type: "object", additionalProperties: { type: "string" } },
          lists: { type: "object", additionalProperties: { type: "array", items: { type: "string" } } },
        },
        "x-kubernetes-validations": [{ rule }],
      },
    },
  });

const words = Array.from({ length: 20_000 }, (_, i) => `word-${i}`);
/** As large as a request may make it, roughly. */
const object: Json = {
  spec: {
    text: "a".repeat(1_000_000),
    pattern: "(a+)+$",
    words,
    numbers: Array.from({ length: 100_000 }, (_, i) => i),
    map: Object.fromEntries(words.map((word) => [word, word])),
    lists: { a: words, b: words },
  },
};

/** `source` glued to itself so many times over. */
const doubled = (source: string, times: number): string =>
  Array.from({ length: times }).reduce<string>(
    (inner, _, i) => `[${inner}].map(x${i}, x${i} + x${i})[0]`,
    source,
  );

test.each<{ what: string; rule: string }>([
  {
    what: "four lists within each other",
    rule: "self.words.all(a, self.words.all(b, self.words.all(c, self.words.all(d, a + b + c + d != ''))))",
  },
  { what: "a text that doubles", rule: `${doubled("self.text", 40)} != ''` },
  { what: "a text of unknown type that doubles", rule: `${doubled("dyn(self.text)", 40)} != dyn('')` },
  { what: "a list that doubles and is searched", rule: `'x' in ${doubled("self.words", 40)}` },
  { what: "a list of nothing that doubles and is joined", rule: `${doubled("['']", 40)}.join('') == ''` },
  { what: "a list of nothing that doubles and is summed up", rule: `${doubled("['']", 40)}.max() == ''` },
  { what: "lists that double and are compared", rule: `${doubled("['']", 30)} == ${doubled("['']", 30)}` },
  { what: "a pattern that backtracks", rule: "self.words.all(x, self.text.matches(self.pattern))" },
  { what: "a cheap pattern over a long text", rule: "self.numbers.all(x, self.text.matches('b') == false)" },
  {
    what: "another pattern each time",
    rule: "self.numbers.all(x, self.pattern.matches('a{0,' + string(x % 1000) + '}'))",
  },
  { what: "all matches of a long text", rule: "self.numbers.all(x, self.text.findAll('a').size() > 0)" },
  {
    what: "equal lists made anew",
    rule: "self.numbers.all(x, self.lists == {'a': self.words + [], 'b': self.words + []})",
  },
  { what: "a text that grows", rule: "self.numbers.all(x, self.text.replace('', 'bbbbbbbb') != '')" },
  { what: "a character of a long text", rule: "self.numbers.all(x, self.text.charAt(x) == 'a')" },
  { what: "the length of a long text", rule: "self.numbers.all(x, self.text.size() > 0)" },
  { what: "a map written as text", rule: "self.numbers.all(x, '%s'.format([self.map]) != '')" },
  { what: "many digits", rule: "self.numbers.all(x, '%.100f'.format([1.5e300]) != '')" },
  {
    what: "a clock in a zone",
    rule: "self.numbers.all(x, timestamp('2024-01-01T00:00:00Z').getHours('Europe/Rome') >= 0)",
  },
  {
    what: "a map of maps",
    rule: "self.map.transformMap(k, v, self.map.transformMap(k2, v2, v2)).size() > 0",
  },
  { what: "each with each", rule: "sets.contains(self.words, self.words)" },
  { what: "a long range", rule: "lists.range(100000000).size() > 0" },
  {
    what: "errors that are absorbed",
    rule: "self.numbers.all(x, 1 / 0 > 0 || 2 / 0 > 0 || 3 / 0 > 0 || 4 / 0 > 0 || true)",
  },
])("a rule of $what is given up, and soon", ({ rule }) => {
  const { rules } = schemaWith(rule);
  const start = process.cpuUsage().user;
  const { errors } = checkRules(rules, object, undefined);
  // A fraction of a second, but other tests may share the processor; a rule that got away would take minutes.
  expect((process.cpuUsage().user - start) / 1e6).toBeLessThan(5);
  expect(errors).toEqual([
    expect.objectContaining({
      field: "spec",
      message: expect.stringMatching(/cost limit exceeded|running out of cost budget/),
    }),
  ]);
});

test("the same rule and object always cost the same", () => {
  const { rules } = schemaWith("self.words.map(w, w + 'x').filter(w, w.matches('7x$')).size() > 0");
  const outcomes = Array.from({ length: 5 }, () =>
    JSON.stringify(checkRules(rules, object, undefined).errors),
  );
  expect(new Set(outcomes).size).toBe(1);
});

test("a rule within the limit may fail to find its budget left over by others", () => {
  const rule = { rule: "self.words.all(x, x != '' || x == 'never') && self.words.all(x, x != '')" };
  const declared = {
    type: "object",
    properties: {
      words: { type: "array", items: { type: "string" } },
    },
    "x-kubernetes-validations": Array.from({ length: 80 }, () => rule),
  };
  const { errors } = checkRules(compileSchema(declared).rules, { words }, undefined);
  expect(errors.map(({ message }) => message)).toEqual([
    'Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run',
  ]);
});

test("a rule that costs more than one may is told, and ends the evaluation", () => {
  const declared = {
    type: "object",
    properties: { words: { type: "array", items: { type: "string" } } },
    "x-kubernetes-validations": [
      { rule: "self.words.all(a, self.words.all(b, a != b || true))" },
      { rule: "false" },
    ],
  };
  const { errors } = checkRules(compileSchema(declared).rules, { words }, undefined);
  expect(errors.map(({ message }) => message)).toEqual([
    `Invalid value: "object": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: self.words.all(a, self.words.all(b, a != b || true))`,
  ]);
});
