import { mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { releasedPath, stopIsUnsettled } from "./latch-files.ts";
import { type LatchLook, watchLatch } from "./latch-watch.ts";

const quiet: LatchLook = { isEngaged: false, hasChanged: false };

function watched() {
  const folder = mkdtempSync(join(tmpdir(), "bosun-latch-watch-"));
  const ending = new AbortController();
  onTestFinished(() => {
    ending.abort();
    rmSync(folder, { recursive: true, force: true });
  });
  const latch = join(folder, "stop");
  const clock = new TestClock();
  const watch = watchLatch(latch, clock, ending.signal);
  /** What the next look finds, told to one that follows. */
  const next = async (): Promise<LatchLook | undefined> => {
    const over = new AbortController();
    let found: LatchLook | undefined;
    watch.follow((look) => {
      found = look;
    }, over.signal);
    await clock.advance(200);
    over.abort();
    return found;
  };
  return { latch, clock, watch, ending, next };
}

test("a look every 200 ms finds a latch that anybody touches, touches again, releases or takes away", async () => {
  const { latch, watch, next } = watched();
  expect(await next()).toEqual(quiet);
  writeFileSync(latch, "");
  expect(watch.isEngaged()).toBe(true);
  expect(await next()).toEqual({ isEngaged: true, hasChanged: true });
  expect(await next()).toEqual({ isEngaged: true, hasChanged: false });
  utimesSync(latch, 1, 1);
  expect(await next()).toEqual({ isEngaged: true, hasChanged: true });
  renameSync(latch, releasedPath(latch));
  expect(await next()).toEqual({ isEngaged: false, hasChanged: true });
  rmSync(releasedPath(latch));
  expect(await next()).toEqual({ isEngaged: false, hasChanged: true });
  expect(await next()).toEqual(quiet);
});

test("a latch that can't be looked at is in force, and told as a change once: it was taken for none", async () => {
  const { latch, watch, next } = watched();
  symlinkSync(latch, latch); // The look fails with ELOOP.
  expect([watch.isEngaged(), stopIsUnsettled(latch)]).toEqual([true, true]);
  expect(await next()).toEqual({ isEngaged: true, hasChanged: true });
  expect(await next()).toEqual({ isEngaged: true, hasChanged: false });
});

test("all that follow are told by the same look, and none that has ended", async () => {
  const { latch, clock, watch, ending } = watched();
  const told: string[] = [];
  const first = new AbortController();
  watch.follow(({ isEngaged }) => told.push(`first ${isEngaged}`), first.signal);
  watch.follow(({ isEngaged }) => told.push(`second ${isEngaged}`), ending.signal);
  watch.follow(() => told.push("never"), AbortSignal.abort());
  await clock.advance(200);
  writeFileSync(latch, "");
  await clock.advance(200);
  first.abort();
  await clock.advance(200);
  ending.abort();
  await clock.advance(1_000);
  expect(told).toEqual(["first false", "second false", "first true", "second true", "second true"]);
});
