import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { Warnings } from "./warnings.ts";

function warned(texts: readonly string[]): string[] {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const warnings = new Warnings(response);
  for (const text of texts) warnings.add(text);
  return [response.getHeader("warning") ?? []].flat().map(String);
}

test("each text is told once, in order", () => {
  expect(warned(["a", 'b "c"', "a", ""])).toEqual(['299 - "a"', '299 - "b \\"c\\""']);
});

test("past 4096 characters each is cut to 256, and no more are added once those are 4096", () => {
  const texts = Array.from({ length: 30 }, (_, index) => `${index} `.padEnd(300, "x"));
  expect(warned(texts.slice(0, 13))[0]).toHaveLength(308);
  const cut = warned(texts);
  expect(cut).toHaveLength(16);
  expect(cut.every((header) => header.length === 264)).toBe(true);
});

test("ten thousand warnings take no longer than their number (found by fuzzing: 1,000 took 3 s)", () => {
  const startMs = performance.now();
  warned(Array.from({ length: 10_000 }, (_, index) => `unknown field "spec.parts[${index}].name"`));
  expect(performance.now() - startMs).toBeLessThan(500);
});
