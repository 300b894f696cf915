import { expect, test } from "vitest";
import { dialectProblems } from "./dialect.ts";

test.each([
  ["name: No", "line 1: kubectl takes No for something else. Put it in quotes."],
  ["a: b\nenum: [Required, Off]", "line 2: kubectl takes Off for something else. Put it in quotes."],
  ["mode: 0755", "line 1: kubectl takes 0755 for something else. Put it in quotes."],
])("%j is a problem", (text, want) => {
  expect(dialectProblems(text)).toEqual([want]);
});

test("what means the same to both is none", () => {
  expect(dialectProblems('{ a: "No", b: None, c: true, d: 1.5, e: v1, f: "0755" }')).toEqual([]);
});
