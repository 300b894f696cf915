import { expect, test } from "vitest";
import { remembered } from "./remembered.ts";

test("a result is found once, a failure again, and the oldest is forgotten", async () => {
  const asked: string[] = [];
  const look = remembered(async (name: string) => {
    asked.push(name);
    if (name === "bad") throw new Error("bad");
    return name.toUpperCase();
  }, 2);

  expect(await Promise.all([look("a"), look("a")])).toEqual(["A", "A"]);
  await expect(look("bad")).rejects.toThrow("bad");
  await expect(look("bad")).rejects.toThrow("bad");
  await look("b");
  await look("c");
  await look("a");
  expect(asked).toEqual(["a", "bad", "bad", "b", "c", "a"]);
});
