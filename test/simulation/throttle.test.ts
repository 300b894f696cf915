import { expect, test } from "vitest";
import { throttle } from "../../pkg/runtime/throttle.ts";
import { Scheduler } from "./kernel/scheduler.ts";

test("the first call acts at once, and those that come too early act together later", async () => {
  const scheduler = new Scheduler({ seed: 1 });
  const { clock } = scheduler.world;
  const acted: number[] = [];
  const stop = new AbortController();
  const call = throttle(() => acted.push(clock.elapsed()), { clock, ms: () => 30_000, signal: stop.signal });
  for (let second = 0; second <= 40; second += 1) {
    await scheduler.run({ untilMs: second * 1000 });
    call();
  }
  void clock.sleep(140_000);
  await scheduler.run({ untilMs: 200_000 });
  expect(acted).toEqual([0, 30_000, 60_000]);
  call();
  call();
  stop.abort(new Error("enough"));
  void clock.sleep(200_000);
  await scheduler.run({ untilMs: 400_000 });
  call();
  expect(acted).toEqual([0, 30_000, 60_000, 180_000]);
});
