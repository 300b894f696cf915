import { expect, test } from "vitest";
import { Revoked, Scheduler } from "./scheduler.ts";

const hour = 3_600_000;

/** Five workers that sleep and call; the order of their calls. */
async function busyRun(seed: number, steps: number): Promise<{ hash: string; order: string[] }> {
  const scheduler = new Scheduler({ seed });
  const order: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) {
    const { clock, random, task } = scheduler.incarnation(name);
    const work = async (): Promise<void> => {
      for (;;) {
        await task("call", async () => order.push(`${name}@${clock.elapsed()}`));
        if (random.next() < 0.5) await clock.sleep(Math.floor(random.next() * 100));
      }
    };
    void work();
  }
  await scheduler.run({ untilMs: hour, stepsMax: steps });
  return { hash: scheduler.trace.hash, order };
}

test("the same seed twice gives the same hash and the same order", async () => {
  for (let seed = 1; seed <= 20; seed += 1)
    expect(await busyRun(seed, 500)).toEqual(await busyRun(seed, 500));
});

test("two runs that interleave in one process do not disturb each other", async () => {
  const alone = await busyRun(3, 500);
  const [one, other] = await Promise.all([busyRun(3, 500), busyRun(3, 500)]);
  expect(one).toEqual(alone);
  expect(other).toEqual(alone);
});

test("different seeds give different orders", async () => {
  const runs = await Promise.all(Array.from({ length: 50 }, (_, seed) => busyRun(seed, 200)));
  expect(new Set(runs.map(({ hash }) => hash)).size).toBe(50);
  expect(new Set(runs.map(({ order }) => order.join())).size).toBe(50);
});

test("the clock stands still while tasks are ready and then goes to the next timer", async () => {
  const scheduler = new Scheduler({ seed: 1, startMs: 0 });
  const { clock, task } = scheduler.world;
  const seen: number[] = [];
  void (async () => {
    await task("first", () => seen.push(clock.now()));
    await clock.sleep(8 * hour);
    seen.push(clock.now());
  })();
  expect(await scheduler.run({ untilMs: 24 * hour })).toBe("idle");
  expect(seen).toEqual([0, 8 * hour]);
});

test("a run ends at its time and the next goes on from there", async () => {
  const scheduler = new Scheduler({ seed: 1 });
  let woke = false;
  void scheduler.world.clock.sleep(1000).then(() => {
    woke = true;
  });
  expect(await scheduler.run({ untilMs: 999 })).toBe("time");
  expect([scheduler.elapsedMs, woke]).toEqual([999, false]);
  await scheduler.run({ untilMs: 1000 });
  expect(woke).toBe(true);
});

test("a jump of the wall clock moves now and neither elapsed nor timers", async () => {
  const scheduler = new Scheduler({ seed: 1, startMs: 1000 });
  const { clock } = scheduler.world;
  let wokeAt = 0;
  void clock.sleep(50).then(() => {
    wokeAt = clock.elapsed();
  });
  scheduler.jumpWall(-900);
  expect(clock.now()).toBe(100);
  await scheduler.run({ untilMs: 100 });
  expect(wokeAt).toBe(50);
});

test("an aborted sleep rejects with the reason and leaves no step behind", async () => {
  const scheduler = new Scheduler({ seed: 1 });
  const abort = new AbortController();
  const sleep = scheduler.world.clock.sleep(1000, abort.signal);
  abort.abort(new Error("enough"));
  await expect(sleep).rejects.toThrow("enough");
  expect(await scheduler.run({ untilMs: hour })).toBe("idle");
  expect(scheduler.trace.steps).toBe(0);
});

test("after a revocation pending calls never resolve, their effects do not happen, and new calls throw", async () => {
  const scheduler = new Scheduler({ seed: 1 });
  const life = scheduler.incarnation("operator");
  const happened: string[] = [];
  const note = (what: string) => () => {
    happened.push(what);
  };
  life.task("write", note("write")).then(note("write answered"), note("write failed"));
  life.clock.sleep(10).then(note("woke"), note("sleep failed"));
  life.defer(note("deferred"));
  let answer = (): void => {};
  const slow = scheduler.incarnation("slow");
  slow
    .task("ask", () => new Promise<void>((resolve) => (answer = resolve)))
    .then(note("asked"), note("ask failed"));
  life.revoke();
  expect(await scheduler.run({ untilMs: hour })).toBe("idle");
  slow.revoke();
  answer();
  await scheduler.run({ untilMs: 2 * hour });
  expect(happened).toEqual([]);
  expect(() => life.clock.now()).toThrow(Revoked);
  expect(() => life.random.next()).toThrow(Revoked);
  expect(() => life.defer(() => {})).toThrow(Revoked);
  await expect(life.clock.sleep(1)).rejects.toThrow(Revoked);
  await expect(life.task("write", () => {})).rejects.toThrow(Revoked);
});

test("what a deferred function throws fails the run", async () => {
  const scheduler = new Scheduler({ seed: 1 });
  scheduler.world.defer(() => {
    throw new Error("broken");
  });
  await expect(scheduler.run({ untilMs: 1 })).rejects.toThrow("broken");
});

test("the trace keeps the last steps for a failure's printout, oldest first", async () => {
  const scheduler = new Scheduler({ seed: 1, keepSteps: 3 });
  void (async () => {
    for (const label of ["a", "b", "c", "d", "e"]) await scheduler.world.task(label, () => {});
  })();
  await scheduler.run({ untilMs: 1 });
  expect(scheduler.trace.last.map(({ label }) => label)).toEqual(["world: c", "world: d", "world: e"]);
});
