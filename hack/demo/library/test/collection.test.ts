import assert from "node:assert/strict";
import { test } from "node:test";
import { chunk, groupBy, range, unique } from "../src/collection.ts";

test("chunk leaves the rest in the last group", () => {
  assert.deepEqual(chunk([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(chunk([], 3), []);
});

test("unique keeps the first occurrence", () => {
  assert.deepEqual(unique([3, 1, 3, 2, 1]), [3, 1, 2]);
});

test("groupBy keeps the order", () => {
  const groups = groupBy([1, 2, 3, 4], (n) => (n % 2 === 0 ? "even" : "odd"));
  assert.deepEqual([...groups], [["odd", [1, 3]], ["even", [2, 4]]]);
});

test("range leaves its end out", () => {
  assert.deepEqual(range(2, 5), [2, 3, 4]);
  assert.deepEqual(range(5, 2), []);
});
