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

test("however many warnings there are, no more is written than twice the bound (found by fuzzing: 1,000 took 3 s)", () => {
  let written = 0;
  class Counted extends ServerResponse {
    override appendHeader(name: string, value: string | readonly string[]): this {
      written += value.length;
      return super.appendHeader(name, value);
    }
  }
  const warnings = new Warnings(new Counted(new IncomingMessage(new Socket())));
  for (let index = 0; index < 10_000; index += 1) warnings.add(`unknown field "spec.parts[${index}].name"`);
  // What each header has around its text is not counted by the bound: 10 characters of some 30.
  expect(written).toBeLessThan(3 * 4096);
});
