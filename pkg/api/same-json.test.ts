import { expect, test } from "vitest";
import { sameJson } from "./same-json.ts";

test.each<[name: string, a: unknown, b: unknown, want: boolean]>([
  ["the order of keys does not count", { a: 1, b: 2 }, { b: 2, a: 1 }, true],
  ["the order of items counts", [1, 2], [2, 1], false],
  ["a key that is undefined is none", { a: 1, b: undefined }, { a: 1 }, true],
  ["also on the other side", { a: 1 }, { a: 1, b: undefined }, true],
  ["but one that is null is there", { a: null }, {}, false],
  ["one more key makes another value", { a: 1 }, { a: 1, b: 2 }, false],
  ["as many keys, but other ones", { a: 1, b: undefined }, { b: 1 }, false],
  ["what objects inherit is no key", { toString: 1 }, {}, false],
  ["nor where another key makes up for it", JSON.parse('{"__proto__":{}}'), { x: 1 }, false],
  ["a list is no map of its indices", ["x"], { 0: "x" }, false],
  ["a shorter list", [1], [1, 2], false],
  ["a number is no text", 1, "1", false],
  ["null is no map", null, {}, false],
  ["deep within", { a: [{ b: [] }] }, { a: [{ b: [0] }] }, false],
])("%s", (_name, a, b, want) => {
  expect([sameJson(a, b), sameJson(b, a)]).toEqual([want, want]);
});
