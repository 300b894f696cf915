import { expect, test } from "vitest";
import { takeBack, thenTakeBack } from "./start.ts";

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

test.each([
  { when: "all goes well", work: undefined, end: undefined, thrown: undefined, told: [] },
  { when: "the work fails", work: "no cluster", end: undefined, thrown: "no cluster", told: [] },
  { when: "the end fails", work: undefined, end: "disk full", thrown: "disk full", told: [] },
  // The second error hid the first one, which caused it for the most part.
  { when: "both fail", work: "no cluster", end: "disk full", thrown: "no cluster", told: ["disk full"] },
])("what was started for a work is ended after it, and why it failed is thrown: $when", async (row) => {
  const ended: string[] = [];
  const told: string[] = [];
  const fail = (message: string | undefined): void => {
    if (message !== undefined) throw new Error(message);
  };
  const undo: (() => void)[] = [];
  const work = async (): Promise<string> => {
    undo.push(() => void ended.push("lock"));
    undo.push(() => fail(row.end));
    fail(row.work);
    return "done";
  };
  const done = thenTakeBack(undo, work, (error) => told.push((error as Error).message));
  if (row.thrown === undefined) expect(await done).toBe("done");
  else await expect(done).rejects.toThrow(row.thrown);
  expect({ ended, told }).toEqual({ ended: ["lock"], told: row.told });
});
