import { expect, test } from "vitest";
import { Serial } from "./serial.ts";

test("what has one name is done one after the other, whether or not what came before succeeded; another name waits for none of it", async () => {
  const serial = new Serial();
  const done: string[] = [];
  const { promise: failing, reject: fail } = Promise.withResolvers<void>();
  const first = serial.run("a", () => failing);
  const second = serial.run("a", async () => done.push("second"));
  const third = serial.run("a", async () => done.push("third"));
  await serial.run("b", async () => done.push("other"));
  expect(done).toEqual(["other"]);
  fail(new Error("The disk is gone."));
  await expect(first).rejects.toThrow("The disk is gone.");
  await Promise.all([second, third]);
  expect(done).toEqual(["other", "second", "third"]);
});
