import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { mutated } from "./mutated.ts";
import { mutations } from "./mutations.ts";

const root = path.resolve(import.meta.dirname, "../..");

test.each(mutations)("the bug $name still has a place to go, and tests to find it", (mutation) => {
  const text = readFileSync(path.join(root, mutation.file), "utf8");
  expect(mutated(text, mutation)).not.toBe(text);
  for (const file of mutation.tests) expect(existsSync(path.join(root, file)), file).toBe(true);
});

test("each bug has a name of its own", () => {
  expect(new Set(mutations.map(({ name }) => name)).size).toBe(mutations.length);
});
