import assert from "node:assert/strict";
import { test } from "node:test";
import { addDays, addMonths, isLeapYear } from "../src/date.ts";

const day = (date: Date) => date.toISOString().slice(0, 10);

test("addDays crosses months and years", () => {
  assert.equal(day(addDays(new Date("2026-12-31T00:00:00Z"), 1)), "2027-01-01");
  assert.equal(day(addDays(new Date("2026-03-01T00:00:00Z"), -1)), "2026-02-28");
});

test("addMonths keeps the day", () => {
  assert.equal(day(addMonths(new Date("2026-11-15T00:00:00Z"), 2)), "2027-01-15");
});

test("isLeapYear knows the centuries", () => {
  assert.deepEqual([2024, 2025, 1900, 2000].map(isLeapYear), [true, false, false, true]);
});
