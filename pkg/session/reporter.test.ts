import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openReporter, type Reporter } from "./reporter.ts";
import { type SessionFolder, sessionFolder } from "./session-folder.ts";
import type { SessionReport } from "./sessions.ts";

let root: string;
let folder: SessionFolder;
let nowMs: number;
let reporter: Reporter;
const open = () =>
  openReporter({
    run: 1,
    folder,
    clock: { now: () => nowMs, elapsed: () => nowMs, sleep: async () => undefined },
    standing: () => ({ turns: 1, tasksDone: [] }),
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
  expect(reported()).toMatchObject({ busy: true, heartbeatMs: 1_020_000 });
  passSeconds(60);
  expect(reported().heartbeatMs).toBeLessThanOrEqual(1_030_000);
  reporter.turned();
  expect(reported().busy).toBe(false);
  end();
  await call;
});

test("time in line for budget is not live", () => {
  reporter.asked();
  passSeconds(300);
  reporter.active();
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
