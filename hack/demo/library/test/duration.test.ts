import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration, parseDuration } from "../src/duration.ts";

test("parseDuration adds up its parts", () => {
  assert.equal(parseDuration("1h30m"), 5_400_000);
  assert.equal(parseDuration("45 s"), 45_000);
});

test("formatDuration is read back to the same number", () => {
  for (const ms of [0, 1, 999, 61_000, 90_061_001]) assert.equal(parseDuration(formatDuration(ms)), ms);
});
