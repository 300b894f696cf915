import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readJson, writeJson } from "./json.ts";
import { parseYaml, writeFlowYaml, writeYaml } from "./yaml.ts";

function value(text: string): unknown {
  const parsed = parseYaml(text);
  if (!parsed.valid) throw new Error(parsed.problems.map(({ message }) => message).join("; "));
  return parsed.documents[0]?.value;
}

// Recorded from kubectl 1.32: `kubectl annotate --local -f x.yaml a=b -o json`.
const recorded: [scalar: string, means: unknown][] = [
  ...["yes", "Yes", "YES", "on", "On", "ON", "y", "Y", "true", "True", "TRUE"].map((s): [string, unknown] => [
    s,
    true,
  ]),
  ...["no", "No", "NO", "off", "Off", "OFF", "n", "N", "false", "False"].map((s): [string, unknown] => [
    s,
    false,
  ]),
  ["tRue", "tRue"],
  ["0755", 493],
  ["-0755", -493],
  ["+0755", 493],
  ["089", 89],
  ["0o17", 15],
  ["-0o17", -15],
  ["0O17", 15],
  ["0_7", 7],
  ["0777_7", 4095],
  ["0o8", "0o8"],
  ["1_000", 1000],
  ["1__0", 10],
  ["_1", "_1"],
  ["0x1F", 31],
  ["0x_1F", 31],
  ["-0x1f", -31],
  ["0x", "0x"],
  ["0b11", 3],
  ["+1", 1],
  ["-0", 0],
  ["9007199254740991", 9007199254740991],
  ["9007199254740993", 9007199254740993n],
  ["-9223372036854775808", -9223372036854775808n],
  ["1.", 1],
  [".5", 0.5],
  ["-.5", -0.5],
  ["+.5", 0.5],
  [".5e1", 5],
  ["1.e2", 100],
  ["1.0e+3", 1000],
  ["1e3", 1000],
  ["1E3", 1000],
  ["1e", "1e"],
  ["1e400", "1e400"],
  ["1_0.5", 10.5],
  ["0.10", 0.1],
  ["2026-01-01", "2026-01-01"],
  ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"],
  ["12:30:45", "12:30:45"],
  ["1:30", "1:30"],
  ["~", null],
  ["null", null],
  ["Null", null],
  ["", null],
  ["<<", "<<"],
  ["=", "="],
  ["!!str 1", "1"],
  ['!!int "3"', 3],
  ["!!bool yes", true],
  ['"yes"', "yes"],
  ["'0755'", "0755"],
  ["|\n    a\n    b", "a\nb\n"],
];

describe("reading", () => {
  test.each(recorded)("%j means what it means to kubectl", (scalar, means) => {
    expect(value(`spec:\n  v: ${scalar}\n`)).toEqual({ spec: { v: means } });
  });

  test("keys are retyped like values, as kubectl does", () => {
    expect(value("{yes: 1, 010: 2, 1.5: 3, 2026-01-01: 4}")).toEqual({
      true: 1,
      8: 2,
      1.5: 3,
      "2026-01-01": 4,
    });
  });

  test("anchors, aliases and merge keys are resolved", () => {
    expect(value("a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2\n")).toEqual({
      a: { b: 1 },
      c: { b: 1 },
      d: { b: 1, e: 2 },
    });
  });

  test.each([
    ["a: .inf", 1, 4, /no number that JSON can hold/],
    ["a: .NaN", 1, 4, /no number that JSON can hold/],
    ["a: 1\nb:\n  c: 18446744073709551615", 3, 6, /beyond 64 bits/],
    ["a: 0x1ffffffffffffffff", 1, 4, /beyond 64 bits/],
    ["a: 1\na: 2", 2, 1, /unique/],
    ["a: !foo bar", 1, 4, /tag/i],
    ["a: [1, 2", 1, 9, /Flow sequence/i],
    ["a: *nowhere", 1, 4, /alias/i],
    ["\tb: 1", 1, 1, /tab/i],
    ["a: 1\nb: &b\n  c: [*b]\n", 3, 7, 'The anchor "b" contains itself.'],
  ])("%j is refused with its line and column", (text, line, column, message) => {
    const parsed = parseYaml(text);
    expect(parsed.valid).toBe(false);
    if (parsed.valid) return;
    expect(parsed.problems[0]).toMatchObject({ line, column });
    expect(parsed.problems[0]?.message).toMatch(message);
  });

  test("a file may hold several documents; comments alone are none", () => {
    const parsed = parseYaml("# head\n---\na: 1\n---\n# nothing\n---\nb: 2\n...\n");
    expect(parsed.valid && parsed.documents.map((document) => document.value)).toEqual([{ a: 1 }, { b: 2 }]);
  });

  test("a value is found by its path, and what is missing by its nearest parent", () => {
    const parsed = parseYaml("a: 1\nspec:\n  tasks:\n    - title: x\n    - title: y\n");
    if (!parsed.valid) throw new Error("invalid");
    expect(parsed.documents[0]?.position(["spec", "tasks", 1, "title"])).toEqual({ line: 5, column: 7 });
    expect(parsed.documents[0]?.position(["spec", "limits", "hours"])).toEqual({ line: 2, column: 1 });
  });
});

describe("writing", () => {
  const tricky = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.constantFrom(...recorded.map(([scalar]) => scalar)),
    fc.stringMatching(/^[-+.0-9_:xobeE]{1,8}$/),
    fc.constantFrom(
      "# no",
      "a: b",
      "a #b",
      " x",
      "x ",
      "\n",
      "a\n\nb\n",
      "- a",
      "---",
      "...",
      "%",
      "@a",
      "`",
      "|",
      "é\u2028",
    ),
  );
  const scalar = fc.oneof(
    tricky,
    fc.integer(),
    fc.constantFrom(2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, min: -(2 ** 52), max: 2 ** 52 }),
  );
  const json = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, scalar, fc.array(tie("value"), { maxLength: 3 }), tie("map")),
    map: fc.dictionary(tricky, tie("value"), { maxKeys: 4 }),
  })).value;

  test("what is written reads back the same, in block and in flow style", () => {
    fc.assert(
      fc.property(json, (wanted) => {
        const plain = readJson(writeJson(wanted));
        if (plain === null) return;
        expect(value(`v: ${writeFlowYaml(plain)}\n`)).toEqual({ v: plain });
        expect(value(writeYaml({ v: plain }))).toEqual({ v: plain });
      }),
      { numRuns: 500 },
    );
  });

  test("no string is retyped by YAML 1.1 or 1.2 proper either", () => {
    fc.assert(
      fc.property(tricky, (text) => {
        for (const version of ["1.1", "1.2"] as const) {
          expect(parse(writeYaml({ v: text }), { version })).toEqual({ v: text });
        }
      }),
      { numRuns: 500 },
    );
  });

  test("plain words stay plain", () => {
    expect(writeYaml({ a: "yes", b: "2026-01-01", c: "plain words", d: "0755", e: 12, f: true })).toBe(
      'a: "yes"\nb: "2026-01-01"\nc: plain words\nd: "0755"\ne: 12\nf: true\n',
    );
  });
});
