import { expect, test } from "vitest";
import { rememberedYaml } from "./remembered-yaml.ts";

test("a text asked for again is not parsed again", () => {
  const read = rememberedYaml(2);
  const first = read("a: 1");
  expect(first).toMatchObject({ valid: true, documents: [{ value: { a: 1 } }] });
  read("a: 2");
  expect(read("a: 1")).toBe(first);
});

test("the text asked for longest ago is forgotten first", () => {
  const read = rememberedYaml(2);
  const [first, second] = [read("a: 1"), read("a: 2")];
  read("a: 1");
  read("a: 3");
  expect(read("a: 1")).toBe(first);
  expect(read("a: 2")).not.toBe(second);
  expect(read("a: 2")).toMatchObject({ documents: [{ value: { a: 2 } }] });
});
