import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxJsonDepth, parseJson, readJson, writeJson } from "./json.ts";
import { parseSlowly } from "./json-parser.ts";

describe("numbers", () => {
  test.each<{ name: string; text: string; want: unknown; written?: string }>([
    { name: "an integer is a number", text: "5", want: 5 },
    { name: "2^53 - 1 is a number", text: "9007199254740991", want: 9007199254740991 },
    { name: "2^53 + 1 is exact", text: "9007199254740993", want: 9007199254740993n },
    { name: "the smallest of 64 bits is exact", text: "-9223372036854775808", want: -9223372036854775808n },
    { name: "beyond 64 bits is the nearest", text: "18446744073709551615", want: 18446744073709552000 },
    { name: "a fraction is a number", text: "1.5", want: 1.5 },
    { name: "a number with an exponent is one", text: "1e3", want: 1000 },
  ])("$name", ({ text, want }) => {
    expect(parseJson(text).value).toBe(want);
    expect(parseSlowly(text, 10).value).toBe(want);
    expect(readJson(text)).toBe(want);
    expect(parseJson(writeJson(want)).value).toBe(want);
  });

  test("whole numbers that were written as floats are told", () => {
    const { wholeFloats } = parseJson(
      '{"a": 1.0, "b": [1e3, 2, 2.5], "c": {"d": 5.0e0, "e": "1.0"}, "f": 10.25}',
    );
    expect([...wholeFloats]).toEqual(["a", "b[0]", "c.d"]);
  });

  test("a number that no float holds is refused in Go's words", () => {
    expect(() => parseJson('{"a": 1e400}')).toThrow(
      "json: cannot unmarshal number 1e400 into Go value of type float64",
    );
  });
});

test("keys that come again are told once each, and the last value holds", () => {
  const text = '{"a": 1, "b": {"c": 1, "c": 2, "c": 3}, "d": [{"e": 1, "e": 2}], "a": 2}';
  expect(parseJson(text)).toMatchObject({
    value: { a: 2, b: { c: 3 }, d: [{ e: 2 }] },
    duplicates: ["b.c", "d[0].e", "a"],
  });
});

test("strings that look like JSON count as strings", () => {
  const value = { a: '"b": {', 'c"d': "e\\", "f:": ':"', g: "\\\\" };
  expect(parseJson(JSON.stringify(value))).toEqual({ value, duplicates: [], wholeFloats: new Set() });
});

test("an own __proto__ key is a key like others and changes no prototype", () => {
  for (const text of ['{"__proto__": {"polluted": true}}', '{"__proto__": {"polluted": true}, "n": 1.0}']) {
    const value = parseJson(text).value as { polluted?: boolean };
    expect(Object.keys(value)[0]).toBe("__proto__");
    expect(value.polluted).toBeUndefined();
  }
});

test("half a surrogate pair becomes the replacement character", () => {
  expect(parseJson('"a\\ud83db"').value).toBe("a\ufffdb");
  expect(parseJson('"\\ud83d\\ude00"').value).toBe("😀");
});

test("a nesting that is too deep is refused before anything recurses into it", () => {
  const bomb = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  expect(() => parseJson(bomb(maxJsonDepth))).not.toThrow();
  expect(() => parseJson(bomb(maxJsonDepth + 1))).toThrow("exceeded max depth");
  expect(() => parseJson(`{"a":`.repeat(1_000_000))).toThrow("exceeded max depth");
});

test.each([
  ["", "unexpected end of JSON input"],
  ['{"a', "unexpected end of JSON input"],
  ["{", "unexpected end of JSON input"],
  ["hello", "invalid character 'h' looking for beginning of value"],
  ["{a", "invalid character 'a' looking for beginning of object key string"],
  ['{"a",', "invalid character ',' after object key"],
  ['{"a":1 "b"', `invalid character '"' after object key:value pair`],
  ["[1 2]", "invalid character '2' after array element"],
  ["{} x", "invalid character 'x' after top-level value"],
  ["tru3", "invalid character '3' in literal true (expecting 'e')"],
  ["-x", "invalid character 'x' in numeric literal"],
  ["1.x", "invalid character 'x' after decimal point in numeric literal"],
  ["1e+", "unexpected end of JSON input"],
  ["01", "invalid character '1' after top-level value"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\\q"', "invalid character 'q' in string escape code"],
  ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
  ["'a'", "invalid character '\\'' looking for beginning of value"],
  ["\ufeff{}", "invalid character 'ï' looking for beginning of value"],
])("%j is refused with: %s", (text, message) => {
  expect(() => parseJson(text)).toThrow(new SyntaxError(message));
});

test("both parsers agree with JSON.parse on all JSON, and what is written reads back", () => {
  const json = fc.oneof(fc.jsonValue(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
  fc.assert(
    fc.property(json, (value) => {
      if (typeof value === "bigint") {
        const number = Number(value);
        const canonical = Number.isSafeInteger(number) ? number : value;
        expect(readJson(writeJson({ value }))).toEqual({ value: canonical });
        return;
      }
      const text = JSON.stringify(value);
      const expected: unknown = JSON.parse(text);
      const shown = (parsed: unknown) =>
        JSON.stringify(parsed, (_key, item) => (typeof item === "bigint" ? Number(item) : item));
      expect(shown(parseJson(text).value)).toBe(JSON.stringify(expected));
      expect(shown(parseSlowly(text, 1000).value)).toBe(JSON.stringify(expected));
    }),
  );
});

test("text that is no JSON is refused by both parsers", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,01.-eE+\\ntrufalsn d8') }), (text) => {
      const accepted = (parse: () => unknown) => {
        try {
          parse();
          return true;
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
          return false;
        }
      };
      const overflow = /\d{300}|e\+?\d{3}/i.test(text);
      if (!overflow) expect(accepted(() => parseJson(text))).toBe(accepted(() => JSON.parse(text)));
    }),
    { numRuns: 2000 },
  );
});
