import { mkdtempSync, readdirSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { sessionFolder } from "./session-folder.ts";
import { SessionNews } from "./session-news.ts";
import type { SessionObservation, SessionReport, SessionSpec } from "./sessions.ts";

const id = "session-1";
const report: SessionReport = {
  run: 1,
  turns: 1,
  liveSeconds: 1,
  lastActivityMs: 0,
  heartbeatMs: 0,
  tasksDone: [],
  busy: false,
};

/** The news of one session, whose host has said `observed.report`. */
function told() {
  const directory = mkdtempSync(join(tmpdir(), "bosun-news-"));
  const ending = new AbortController();
  onTestFinished(() => {
    ending.abort();
    rmSync(directory, { recursive: true, force: true });
  });
  const folderOf = (name: string) => sessionFolder(directory, name);
  folderOf(id).writeSpec({ id, agent: "agent-1" } as SessionSpec);
  const clock = new TestClock();
  const observed = { report, answer: Promise.resolve(), tended: new Set<string>() };
  const news = new SessionNews({
    ...{ directory, folderOf, clock, periodMs: 5_000 },
    ids: () => readdirSync(directory),
    living: () => readdirSync(directory),
    async find(): Promise<SessionObservation> {
      const seen: SessionObservation = { is: "absent", report: observed.report };
      await observed.answer;
      return seen;
    },
    async tend(one) {
      observed.tended.add(one);
    },
  });
  const woken: (readonly string[])[] = [];
  news.subscribe(() => woken.push(observed.report.tasksDone), ending.signal);
  /** Writes the report, and resolves when the system has told of it. */
  const says = async (tasksDone: readonly string[]): Promise<void> => {
    const path = folderOf(id).path;
    await new Promise<void>((resolve) => {
      const own = watch(path, (_, name) => {
        if (name !== "report.json") return;
        own.close();
        resolve();
      });
      observed.report = { ...report, tasksDone };
      folderOf(id).writeReport(observed.report, { durable: false });
    });
  };
  return { clock, observed, woken, says };
}

test("what a host writes while its session is looked at is looked at as well, before the next poll", async () => {
  const { observed, woken, says } = told();
  await expect.poll(() => woken).toEqual([[]]);
  const { promise, resolve } = Promise.withResolvers<void>();
  observed.answer = promise;
  await says(["T-1"]);
  await says(["T-1", "T-2"]);
  resolve();
  await expect.poll(() => woken.length).toBe(3);
});

test("each session that may have a host is tended again and again, whether it has news or not", async () => {
  const { clock, observed, woken } = told();
  for (const _ of ["first", "second"]) {
    await expect.poll(() => observed.tended).toEqual(new Set([id]));
    observed.tended.clear();
    await clock.advance(5_000);
  }
  expect(woken).toEqual([[]]);
});
