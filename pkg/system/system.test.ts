import { createHook } from "node:async_hooks";
import { execFile } from "node:child_process";
import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { systemFailpoints } from "./failpoint.ts";
import { systemClock, systemDefer, systemIds } from "./system.ts";

test("a sleep lasts no less than asked and leaves no listener on its signal", async () => {
  const { signal } = new AbortController();
  const began = systemClock.elapsed();
  await systemClock.sleep(15, signal);
  expect(systemClock.elapsed() - began).toBeGreaterThanOrEqual(15);
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("a sleep wakes the process once: each look of a process that rests was two", async () => {
  let timers = 0;
  const counting = createHook({
    init(_id, type) {
      if (type === "Timeout") timers += 1;
    },
  }).enable();
  /** Works on until that much of a millisecond of the loop's own clock has passed. */
  const until = (isThere: (microsecond: number) => boolean): void => {
    while (!isThere(Number((process.hrtime.bigint() / 1_000n) % 1_000n)));
  };
  for (let round = 0; round < 20; round += 1) {
    // Begun late in a millisecond, and waited for from early in the next: a whole number of them is over too soon.
    until((microsecond) => microsecond > 800);
    const slept = systemClock.sleep(3);
    until((microsecond) => microsecond < 200);
    await slept;
  }
  counting.disable();
  expect(timers).toBe(20);
});

test("an aborted sleep rejects with the signal's reason, before and during it", async () => {
  const abort = new AbortController();
  const sleep = systemClock.sleep(3_000_000_000, abort.signal);
  abort.abort(new Error("enough"));
  await expect(sleep).rejects.toThrow("enough");
  await expect(systemClock.sleep(1, abort.signal)).rejects.toThrow("enough");
});

test("what is deferred runs after all promises that are ready", async () => {
  const order: string[] = [];
  const deferred = new Promise<void>((resolve) =>
    systemDefer(() => {
      order.push("deferred");
      resolve();
    }),
  );
  void Promise.resolve().then(() => order.push("promise"));
  await deferred;
  expect(order).toEqual(["promise", "deferred"]);
});

test("ids are UUIDs in lower case", () => {
  expect(systemIds.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("the process dies by SIGKILL at the n-th hit of the named failpoint and at no other", async () => {
  const script = `
    import { systemFailpoints } from ${JSON.stringify(new URL("failpoint.ts", import.meta.url).href)};
    const failpoints = systemFailpoints();
    failpoints.hit("ref-swapped");
    failpoints.hit("claim-written");
    console.log("once");
    failpoints.hit("claim-written");
    console.log("twice");`;
  const ended = await new Promise<{ signal: unknown; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, BOSUN_FAILPOINT: "claim-written:2" };
    execFile(process.execPath, ["--input-type=module", "-e", script], { env }, (error, stdout, stderr) =>
      resolve({ signal: error?.signal, stdout, stderr }),
    );
  });
  expect(ended).toMatchObject({ signal: "SIGKILL", stdout: "once\n" });
  expect(ended.stderr).toContain("Failpoint claim-written");
});

test("a failpoint setting with a bad count is refused", () => {
  expect(() => systemFailpoints("claim-written:0")).toThrow(RangeError);
  expect(() => systemFailpoints("claim-written:x")).toThrow(RangeError);
});
