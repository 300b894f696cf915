import assert from "node:assert/strict";
import { test } from "node:test";
import { LruCache } from "../src/cache.ts";

test("the value unused for longest goes first", () => {
  const cache = new LruCache<string, number>(2);
  cache.set("a", 1);
  cache.set("b", 2);
  cache.get("a");
  cache.set("c", 3);
  assert.deepEqual([cache.get("a"), cache.get("b"), cache.get("c")], [1, undefined, 3]);
});

test("a capacity below one is refused", () => {
  assert.throws(() => new LruCache(0), RangeError);
});
