import assert from "node:assert/strict";
import { test } from "node:test";
import { capitalize, slugify, truncate, wordCount } from "../src/text.ts";

test("slugify joins words with single dashes", () => {
  assert.equal(slugify("Hello, World!"), "hello-world");
  assert.equal(slugify("  a -- b  "), "a-b");
});

test("capitalize changes the first letter alone", () => {
  assert.equal(capitalize("hello world"), "Hello world");
  assert.equal(capitalize(""), "");
});

test("wordCount counts words, not spaces", () => {
  assert.equal(wordCount("one  two\nthree"), 3);
  assert.equal(wordCount("   "), 0);
});

test("truncate leaves a short text alone", () => {
  assert.equal(truncate("short", 10), "short");
});
