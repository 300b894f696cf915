import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { crashDisk } from "../storage/testing/crash-disk.ts";
import { seeded } from "../storage/testing/seeded.ts";
import { openReporter, type Reporter, type Standing } from "./reporter.ts";
import { type SessionFolder, sessionFolder } from "./session-folder.ts";
import type { Outcome, SessionReport } from "./sessions.ts";

let root: string;
let folder: SessionFolder;
let nowMs: number;
let reporter: Reporter;
let standing: Standing;
const open = () =>
  openReporter({
    run: 1,
    folder,
    clock: { now: () => nowMs, elapsed: () => nowMs, sleep: async () => undefined },
    standing: () => standing,
    onReport: () => undefined,
  });
const passSeconds = (seconds: number) => {
  for (let second = 0; second < seconds; second++) {
    nowMs += 1000;
    reporter.tick();
  }
};
const reported = () => folder.readReport() as SessionReport;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "bosun-reporter-"));
  folder = sessionFolder(root, "session-1");
  nowMs = 1_000_000;
  standing = { turns: 1, tasksDone: [] };
  reporter = open();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a loop that hangs has no heartbeat, however long its process lives", () => {
  passSeconds(60);
  expect(reported().heartbeatMs).toBe(1_000_000);
  reporter.beat();
  passSeconds(11);
  expect(reported().heartbeatMs).toBe(1_060_000);
});

test("a call within its own limit is busy and has a heartbeat, one beyond it has neither", async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const call = reporter.during(30_000, () => ended);
  passSeconds(29);
  expect(reported().busy).toBe(true);
  expect(nowMs - reported().heartbeatMs).toBeLessThan(10_000);
  passSeconds(60);
  expect(reported().heartbeatMs).toBeLessThanOrEqual(1_030_000);
  reporter.turned();
  expect(reported().busy).toBe(false);
  end();
  await call;
});

test("a call that is over long before its limit excuses no loop that stands", async () => {
  await reporter.during(3_600_000, async () => passSeconds(5));
  passSeconds(60);
  expect(reported()).toMatchObject({ busy: false, heartbeatMs: 1_005_000 });
});

test("of turns within a second the last is told, by the next tick; a task that is done is told at once", () => {
  standing = { turns: 2, tasksDone: [] };
  reporter.turned();
  standing = { turns: 3, tasksDone: [] };
  reporter.turned();
  expect(reported().turns).toBe(1);
  passSeconds(1);
  expect(reported().turns).toBe(3);
  standing = { turns: 4, tasksDone: ["T-1"] };
  reporter.turned();
  expect(reported()).toMatchObject(standing);
});

test("what a report says is there after a power loss: a turn, a task, a refusal, how it ended", () => {
  const disk = crashDisk();
  const expectLeft = (report: Partial<SessionReport>) => {
    for (let seed = 0; seed < 10; seed += 1) {
      const left = disk.afterCrash(seeded(seed)).blockingCalls;
      expect(sessionFolder("/sessions", "s-1", left).readReport()).toMatchObject(report);
    }
  };
  folder = sessionFolder("/sessions", "s-1", disk.blockingCalls);
  reporter = open();
  expectLeft({ run: 1, turns: 1 });
  standing = { turns: 2, tasksDone: ["T-1"] };
  reporter.turned();
  expectLeft({ turns: 2, tasksDone: ["T-1"] });
  standing = { turns: 3, tasksDone: ["T-1"] };
  reporter.turned();
  passSeconds(1);
  expectLeft({ turns: 3 });
  reporter.refused("no connection");
  expectLeft({ refusal: "no connection" });
  const outcome: Outcome = { kind: "Paused", reason: "Requested", message: "as asked" };
  reporter.finish(outcome);
  expectLeft({ outcome });
});

test("turns a second and more apart are each told when they end", () => {
  nowMs += 1000;
  standing = { turns: 2, tasksDone: [] };
  reporter.turned();
  expect(reported().turns).toBe(2);
});

test("that something came from the model is told a second later, as long as more comes too", () => {
  reporter.asked();
  for (let second = 0; second < 5; second += 1) {
    reporter.active(180_000);
    passSeconds(1);
    expect(nowMs - reported().lastActivityMs).toBe(1_000);
  }
});

test("time in line for budget is not live", () => {
  reporter.asked();
  passSeconds(300);
  reporter.active(180_000);
  passSeconds(10);
  reporter.turned();
  expect(reported().liveSeconds).toBe(40);
});

test("live time adds up over the hosts of a session", () => {
  passSeconds(5);
  reporter.turned();
  nowMs += 100_000;
  reporter = open();
  passSeconds(5);
  reporter.turned();
  expect(reported().liveSeconds).toBe(10);
});

test("a stream within its limit of silence has a heartbeat, one beyond it has none, whatever the whole may take", async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const request = reporter.during(900_000, () => ended);
  reporter.asked();
  passSeconds(100);
  expect(nowMs - reported().heartbeatMs).toBeLessThan(10_000);
  for (let piece = 0; piece < 10; piece++) {
    reporter.active(180_000);
    passSeconds(150);
  }
  expect(nowMs - reported().heartbeatMs).toBeLessThanOrEqual(10_000);
  passSeconds(100);
  const last = reported().heartbeatMs;
  passSeconds(300);
  expect(reported().heartbeatMs).toBe(last);
  expect(nowMs - last).toBeGreaterThan(300_000);
  end();
  await request;
});

test("the last bytes of an answer do not lend their time to the call that follows it", async () => {
  await reporter.during(900_000, async () => reporter.asked());
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const call = reporter.during(20_000, () => ended);
  reporter.active(180_000);
  passSeconds(60);
  expect(reported().heartbeatMs).toBeLessThanOrEqual(1_020_000);
  end();
  await call;
});

test("an hour in which the host or the machine stood still is not live, nor the wait for an answer in it", () => {
  passSeconds(10);
  nowMs += 3_600_000;
  passSeconds(10);
  reporter.turned();
  expect(reported().liveSeconds).toBeLessThanOrEqual(50);
  reporter.asked();
  nowMs += 3_600_000;
  passSeconds(10);
  reporter.active(180_000);
  reporter.turned();
  expect(reported().liveSeconds).toBeLessThanOrEqual(90);
});

test.each([
  ["back", -86_400_000],
  ["forward", 86_400_000],
])(
  "a wall clock that is set %s by a day changes neither live time nor the rhythm of the heart",
  (_name, jumpMs) => {
    let elapsedMs = 0;
    let wallMs = 1_000_000_000;
    const written: SessionReport[] = [];
    const jumping = openReporter({
      run: 1,
      folder,
      clock: { now: () => wallMs, elapsed: () => elapsedMs, sleep: async () => undefined },
      standing: () => ({ turns: 1, tasksDone: [] }),
      onReport: (report) => written.push(report),
    });
    const pass = (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        elapsedMs += 1000;
        wallMs += 1000;
        jumping.beat();
        jumping.tick();
      }
    };
    pass(100);
    wallMs += jumpMs;
    pass(100);
    jumping.turned();
    expect(written.at(-1)?.liveSeconds).toBe(200);
    expect(new Set(written.map(({ heartbeatMs }) => heartbeatMs)).size).toBeGreaterThanOrEqual(20);
  },
);

test("refusals in a row are told at once and are no live time, over hosts too, until there is an answer", () => {
  passSeconds(10);
  reporter.refused("no connection");
  expect(reported().refusal).toBe("no connection");
  // What waits in line meanwhile is not taken off twice.
  reporter.asked();
  passSeconds(600);
  reporter.active(1000);
  reporter.refused("still none");
  expect(reported()).toMatchObject({ refusal: "still none", liveSeconds: 10 });
  reporter.finish({ kind: "Paused", reason: "UpstreamUnavailable", message: "still none" });
  expect(reported()).toMatchObject({ refusal: "still none", liveSeconds: 10 });

  reporter = open();
  passSeconds(300);
  expect(reported()).toMatchObject({ refusal: "still none", liveSeconds: 10 });
  reporter.refused(undefined);
  expect(reported().refusal).toBeUndefined();
  passSeconds(5);
  reporter.turned();
  expect(reported().liveSeconds).toBe(15);
});

test("a refusal of a host that ended without a word is not the next host's", () => {
  reporter.refused("no connection");
  reporter = open();
  expect(reported().refusal).toBeUndefined();
});
