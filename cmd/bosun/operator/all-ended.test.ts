import { expect, test } from "vitest";
import { allEnded } from "./all-ended.ts";

test("what all of it has resolved with comes in order", async () => {
  expect(await allEnded(Promise.resolve(1), Promise.resolve("two"))).toEqual([1, "two"]);
});

test("an error is told only when the rest has ended too", async () => {
  const { promise: rest, resolve: end } = Promise.withResolvers<void>();
  let isTold = false;
  const told = allEnded(rest, Promise.reject(new Error("No gateway."))).catch((error: unknown) => {
    isTold = true;
    return error;
  });
  await new Promise(setImmediate);
  expect(isTold).toBe(false);
  end();
  expect(await told).toEqual(new Error("No gateway."));
});
