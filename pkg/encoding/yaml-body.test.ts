import { expect, test } from "vitest";
import { parseYamlBody } from "./yaml-body.ts";

test.each<{ name: string; text: string; value: unknown; duplicates?: string[] }>([
  {
    name: "a document is read in kubectl's dialect",
    text: "a: yes\nb: 0755\nc: 1.5",
    value: { a: true, b: 493, c: 1.5 },
  },
  { name: "integers are exact to 64 bits", text: "a: 9007199254740993", value: { a: 9007199254740993n } },
  {
    name: "beyond, they are the nearest number",
    text: "a: 18446744073709551615",
    value: { a: 18446744073709552000 },
  },
  {
    name: "the last of equal keys holds, and each further one is told with its line",
    text: "spec:\n  color: blue\n  color: green\n  color:\n    red\n1: a\n1: b\n",
    value: { spec: { color: "red" }, 1: "b" },
    duplicates: [
      'line 3: key "color" already set in map',
      'line 5: key "color" already set in map',
      "line 7: key 1 already set in map",
    ],
  },
  { name: "documents after the first are ignored", text: "---\na: 1\n---\nb: [", value: { a: 1 } },
  { name: "JSON is YAML", text: ' {"a": 9007199254740993, "b": 1.0}', value: { a: 9007199254740993n, b: 1 } },
  {
    name: "JSON with equal keys is read as YAML",
    text: '{"a": 1,\n"a": 2}',
    value: { a: 2 },
    duplicates: ['line 2: key "a" already set in map'],
  },
  { name: "flow style that is no JSON is YAML", text: "{a: b, c: [d]}", value: { a: "b", c: ["d"] } },
  { name: "nothing is null", text: "# only this\n", value: null },
])("$name", ({ text, value, duplicates = [] }) => {
  expect(parseYamlBody(text)).toEqual({ value, duplicates });
});

test.each([
  ["a: 1\nb: [1, 2", /^yaml: line 2: did not find expected ',' or '\]'$/],
  ["a: {b: 1", /^yaml: line 1: did not find expected ',' or '\}'$/],
  ["a: b: c", /^yaml: line 1: mapping values are not allowed in this context$/],
  ["a:\n\tb: 1", /^yaml: line 2: found character that cannot start any token$/],
  ['a: "x', /^yaml: line 1: found unexpected end of stream$/],
  ["a: .inf", /^yaml: line 1: .*no number that JSON can hold/],
  ["a: *nowhere", /^yaml: unknown anchor 'nowhere' referenced$/],
  ["a: &s\n  b: [*s]", /^yaml: anchor 's' value contains itself$/],
  ["a: !foo bar", /^yaml: line 1: /],
  [`${"[".repeat(50_000)}`, /^yaml: /],
  [
    `a: &a [x]\n${[..."bcdefghij"].map((name, i) => `${name}: &${name} [${`*${"abcdefghij"[i]},`.repeat(9)}]`).join("\n")}`,
    /^yaml: Excessive alias count/,
  ],
])("%.20j is refused", (text, message) => {
  expect(() => parseYamlBody(text)).toThrow(message);
});
