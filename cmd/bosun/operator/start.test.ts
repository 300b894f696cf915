import { expect, test } from "vitest";
import { takeBack } from "./start.ts";

test("what was started is ended in reverse, one after the other, and each once", async () => {
  const ended: string[] = [];
  const undo = [
    () => void ended.push("lock"),
    async () => {
      await Promise.resolve();
      ended.push("log");
    },
    () => void ended.push("files"),
  ];
  await takeBack(undo);
  await takeBack(undo);
  expect(ended).toEqual(["files", "log", "lock"]);
});

test("a part that can't be ended leaves no other running, and is told", async () => {
  const ended: string[] = [];
  const undo = [
    () => void ended.push("lock"),
    async () => {
      throw new Error("the disk is full");
    },
    () => void ended.push("files"),
  ];
  await expect(takeBack(undo)).rejects.toThrow("the disk is full");
  expect(ended).toEqual(["files", "lock"]);
});
