import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { TestClock } from "../../../pkg/runtime/testing/clock.ts";
import { releasedPath } from "../../../pkg/system/latch-files.ts";
import { watchLatch } from "../../../pkg/system/latch-watch.ts";
import { followStop } from "./follow-stop.ts";

test("a stop is in force until the mode agrees that it is over: what it killed has not failed until then", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bosun-follow-stop-"));
  const ending = new AbortController();
  onTestFinished(() => {
    ending.abort();
    rmSync(folder, { recursive: true, force: true });
  });
  const latch = join(folder, "stop");
  const clock = new TestClock();
  const stop = followStop(watchLatch(latch, clock, ending.signal), ending.signal);
  const told: string[] = [];
  stop.follow(
    () => told.push("engaged"),
    () => told.push("released"),
  );
  const others: string[] = [];
  stop.follow(
    () => others.push("engaged"),
    () => others.push("released"),
  );
  const lookLater = () => clock.advance(1_000);

  await lookLater();
  expect([stop.inForce(), told]).toEqual([false, []]);
  writeFileSync(latch, "");
  await lookLater();
  expect([stop.inForce(), told]).toEqual([true, ["engaged"]]);
  renameSync(latch, releasedPath(latch));
  await lookLater();
  expect([stop.inForce(), told]).toEqual([true, ["engaged"]]);
  rmSync(releasedPath(latch));
  await lookLater();
  expect([stop.inForce(), told]).toEqual([false, ["engaged", "released"]]);
  // The next stop is told like the first.
  writeFileSync(latch, "");
  await lookLater();
  expect([stop.inForce(), told]).toEqual([true, ["engaged", "released", "engaged"]]);
  expect(others).toEqual(told);
});
