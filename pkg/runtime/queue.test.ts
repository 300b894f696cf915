import fc from "fast-check";
import { expect, test } from "vitest";
import type { ObjectKey } from "../api/meta.ts";
import type { Clock } from "./clock.ts";
import { WorkQueue } from "./queue.ts";

const key = (name: string): ObjectKey => ({ namespace: "default", name });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Time that moves only by `advance`. */
class ManualClock implements Clock {
  ms = 0;
  #timers: { atMs: number; ring: () => void }[] = [];
  now = () => this.ms;
  elapsed = () => this.ms;
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#timers.push({ atMs: this.ms + ms, ring: resolve });
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
  async advance(ms: number): Promise<void> {
    const untilMs = this.ms + ms;
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      this.ms = due?.atMs ?? untilMs;
      if (due === undefined) return;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      due.ring();
      await turn();
    }
  }
}

/** Takes keys and finishes each at once, noting when it came. */
function drain(queue: WorkQueue, clock: Clock): string[] {
  const seen: string[] = [];
  void (async () => {
    for (let next = await queue.next(); next !== undefined; next = await queue.next()) {
      seen.push(`${next.name}@${clock.elapsed()}`);
      queue.done(next);
    }
  })();
  return seen;
}

test("a key added several times before a worker is free is handed out once", async () => {
  const queue = new WorkQueue(new ManualClock());
  for (const name of ["a", "b", "a"]) queue.add(key(name));
  expect(queue.depth).toBe(2);
  expect([await queue.next(), await queue.next()]).toEqual([key("a"), key("b")]);
});

test("a key added while it is processed comes again after done, once", async () => {
  const queue = new WorkQueue(new ManualClock());
  queue.add(key("a"));
  await queue.next();
  queue.add(key("a"));
  queue.add(key("a"));
  let again = 0;
  void queue.next().then(() => {
    again += 1;
  });
  void queue.next().then(() => {
    again += 1;
  });
  await turn();
  expect(again).toBe(0);
  queue.done(key("a"));
  await turn();
  expect(again).toBe(1);
});

test("of two delays of one key the earlier wins, whichever was asked for first", async () => {
  const clock = new ManualClock();
  const queue = new WorkQueue(clock);
  const seen = drain(queue, clock);
  queue.addAfter(key("a"), 300);
  queue.addAfter(key("a"), 100);
  queue.addAfter(key("b"), 100);
  queue.addAfter(key("b"), 300);
  await clock.advance(1000);
  expect(seen).toEqual(["a@100", "b@100"]);
});

test("a key that is looked at before its delay is over is not looked at again for it, and others are", async () => {
  const clock = new ManualClock();
  const queue = new WorkQueue(clock);
  const seen = drain(queue, clock);
  queue.addAfter(key("a"), 100);
  queue.addAfter(key("b"), 200);
  await clock.advance(50);
  queue.add(key("a"));
  await turn();
  await clock.advance(1000);
  expect(seen).toEqual(["a@50", "b@200"]);
});

test("back-off doubles from 5 ms to 1000 s and starts anew after forget", async () => {
  const clock = new ManualClock();
  const queue = new WorkQueue(clock);
  const seen = drain(queue, clock);
  const delays: number[] = [];
  for (let failure = 0; failure < 21; failure += 1) {
    const before = clock.ms;
    queue.addBackedOff(key("a"));
    await clock.advance(1_000_000);
    delays.push(Number(seen.at(-1)?.split("@")[1]) - before);
  }
  expect(delays.slice(0, 4)).toEqual([5, 10, 20, 40]);
  expect(delays.slice(-3)).toEqual([1_000_000, 1_000_000, 1_000_000]);
  queue.forget(key("a"));
  const before = clock.ms;
  queue.addBackedOff(key("a"));
  await clock.advance(10);
  expect(seen.at(-1)).toBe(`a@${before + 5}`);
});

test("a queue with a longest back-off of its own waits no longer", async () => {
  const clock = new ManualClock();
  const queue = new WorkQueue(clock, 30_000);
  const seen = drain(queue, clock);
  for (let failure = 0; failure < 21; failure += 1) {
    queue.addBackedOff(key("a"));
    await clock.advance(30_000);
  }
  expect(seen).toHaveLength(21);
});

test("close lets waiting workers go and drops what was delayed", async () => {
  const clock = new ManualClock();
  const queue = new WorkQueue(clock);
  const waiting = queue.next();
  queue.addAfter(key("a"), 10);
  queue.close();
  expect(await waiting).toBeUndefined();
  await clock.advance(100);
  expect(await queue.next()).toBeUndefined();
});

test("whatever the order of adds and work, a key is never processed twice at once and no wake-up is lost", async () => {
  const name = fc.constantFrom("a", "b", "c");
  const adds = fc.array(name, { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      adds,
      fc.integer({ min: 1, max: 3 }),
      async (scheduler, names, workers) => {
        const queue = new WorkQueue(new ManualClock());
        const wanted = new Map<string, number>();
        const seen = new Map<string, number>();
        const active = new Set<string>();
        const work = async (): Promise<void> => {
          for (let next = await queue.next(); next !== undefined; next = await queue.next()) {
            expect(active.has(next.name)).toBe(false);
            active.add(next.name);
            seen.set(next.name, wanted.get(next.name) ?? 0);
            await scheduler.schedule(Promise.resolve(), `work ${next.name}`);
            active.delete(next.name);
            queue.done(next);
          }
        };
        const running = Array.from({ length: workers }, work);
        names.forEach((each, index) => {
          void scheduler.schedule(Promise.resolve(), `add ${each}`).then(() => {
            wanted.set(each, index + 1);
            queue.add(key(each));
          });
        });
        await scheduler.waitIdle();
        expect(seen).toEqual(wanted);
        queue.close();
        await Promise.all(running);
      },
    ),
    { numRuns: 200 },
  );
});
