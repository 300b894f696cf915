import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { awaitSession } from "./await-session.ts";

/** A host that waits for its session, and what has become of it. */
function waitingHost() {
  const folder = mkdtempSync(join(tmpdir(), "bosun-await-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [stdin, clock, stopLatch] = [new PassThrough(), new TestClock(), join(folder, "stop")];
  const host = { hasEnded: false };
  const exit = (): never => {
    host.hasEnded = true;
    throw new Error("It has ended.");
  };
  const told = awaitSession({ stdin, stopLatch, clock, exit });
  told.catch(() => undefined); // Asked by who waits for it.
  const engage = () => writeFileSync(stopLatch, "");
  return { host, told, stdin, clock, engage };
}

test("a host that has waited for a while ends as soon as the stop latch is engaged", async () => {
  const { host, clock, engage } = waitingHost();
  await clock.advance(10_000);
  expect(host.hasEnded).toBe(false);
  engage();
  await clock.advance(1_000);
  expect(host.hasEnded).toBe(true);
});

test("a host that was told its session leaves the latch to that", async () => {
  const { host, told, stdin, clock, engage } = waitingHost();
  stdin.write('{"attempt":"3"}\n');
  expect(await told).toEqual({ attempt: "3" });
  engage();
  await clock.advance(1_000);
  expect(host.hasEnded).toBe(false);
});

test("a host whose operator is gone before it said more than half a line ends", async () => {
  const { host, told, stdin } = waitingHost();
  stdin.end('{"attempt"');
  await expect(told).rejects.toThrow("It has ended.");
  expect(host.hasEnded).toBe(true);
});
