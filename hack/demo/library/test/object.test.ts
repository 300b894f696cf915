import assert from "node:assert/strict";
import { test } from "node:test";
import { deepMerge, omit, pick } from "../src/object.ts";

test("deepMerge merges nested objects and replaces lists", () => {
  const merged = deepMerge({ a: { b: 1, c: 2 }, list: [1] }, { a: { c: 3 }, list: [2] });
  assert.deepEqual(merged, { a: { b: 1, c: 3 }, list: [2] });
});

test("pick and omit share the fields between them", () => {
  const object = { a: 1, b: 2, c: 3 };
  assert.deepEqual(pick(object, ["a"]), { a: 1 });
  assert.deepEqual(omit(object, ["a"]), { b: 2, c: 3 });
});
