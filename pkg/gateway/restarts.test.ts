import { expect, test } from "vitest";
import { Restarts } from "./restarts.ts";

const second = 1_000;

test("the first gateway, and one after a first death, are started at once", () => {
  const restarts = new Restarts();
  expect(restarts.waitMs(0)).toBe(0);
  restarts.tried(0, undefined);
  expect(restarts.waitMs(5 * second)).toBe(0);
});

test("one that dies again and again waits longer each time, up to half a minute", () => {
  const restarts = new Restarts();
  let nowMs = 0;
  const waits: number[] = [];
  for (let death = 0; death < 9; death += 1) {
    restarts.tried(nowMs, undefined);
    nowMs += 2 * second;
    const waitMs = restarts.waitMs(nowMs);
    waits.push(waitMs / second);
    nowMs += waitMs;
    expect(restarts.waitMs(nowMs)).toBe(0);
  }
  expect(waits).toEqual([0, 1, 2, 4, 8, 16, 30, 30, 30]);
});

test("one that does not come up waits the same way, and asking does not lengthen the wait", () => {
  const restarts = new Restarts();
  restarts.tried(0, new Error("The ledger is damaged."));
  expect(restarts.waitMs(0)).toBe(0);
  restarts.tried(0, new Error("The ledger is damaged."));
  expect([restarts.waitMs(0), restarts.waitMs(400), restarts.waitMs(second)]).toEqual([second, 600, 0]);
});

test("one that lived for a minute leaves what was before behind", () => {
  const restarts = new Restarts();
  for (let failure = 0; failure < 5; failure += 1) restarts.tried(0, new Error("No."));
  restarts.tried(30 * second, undefined);
  expect(restarts.waitMs(90 * second)).toBe(0);
  // Its own end was the first failure again.
  restarts.tried(90 * second, new Error("No."));
  expect(restarts.waitMs(90 * second)).toBe(second);
});
