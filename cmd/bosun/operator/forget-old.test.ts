import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { registryClient } from "../../../pkg/registry/client.ts";
import type { Registry } from "../../../pkg/registry/registry.ts";
import { silentLogger } from "../../../pkg/runtime/logger.ts";
import { settled, TestClock } from "../../../pkg/runtime/testing/clock.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { SessionSpec } from "../../../pkg/session/sessions.ts";
import { createAll, openRegistry } from "../testing/operator.ts";
import { forgetOld, forgetOldSessions } from "./forget-old.ts";

const dayMs = 24 * 60 * 60 * 1000;

const opened = JSON.stringify({ seq: 1, at: 0, step: "opened", ledger: "l", version: 1 });

let folder: { operator: string; sessions: string };
let ledger: string;
let registry: Registry;
let clock: TestClock;
let isHeld: boolean;

beforeEach(async () => {
  const operator = mkdtempSync(path.join(tmpdir(), "bosun-forget-"));
  onTestFinished(() => rmSync(operator, { recursive: true }));
  folder = { operator, sessions: path.join(operator, "sessions") };
  ledger = path.join(operator, "ledger", "ledger.jsonl");
  mkdirSync(path.dirname(ledger));
  writeFileSync(ledger, `${opened}\n`);
  registry = await openRegistry();
  clock = new TestClock();
  isHeld = true;
  await createAll(
    registry,
    ["done", "waiting"]
      .map(
        (name) =>
          `apiVersion: bosun.dev/v1alpha1\nkind: Project\nmetadata: { name: ${name} }\nspec: { title: T, tasks: [{ id: T-1, title: T }], acceptanceCriteria: [{ id: AC-1, text: T }] }\nstatus: { phase: ${name === "done" ? "Done" : "Queued"} }\n`,
      )
      .join("---\n"),
  );
});

const options = () => ({
  ...{ client: registryClient(registry, "bosun"), namespace: "default", clock, logger: silentLogger, folder },
  isHeld: () => isHeld,
});

/** A session that ended so many days ago. */
function ended(id: string, project: string, daysAgo: number): void {
  const session = sessionFolder(folder.sessions, id);
  session.writeSpec({ id, agent: "agent-1", project, checkout: "/gone" } as SessionSpec);
  writeFileSync(session.transcriptPath, "{}\n");
  const at = (clock.now() - daysAgo * dayMs) / 1000;
  for (const name of readdirSync(session.path)) utimesSync(path.join(session.path, name), at, at);
}

const left = (): string[] => readdirSync(folder.sessions).sort();

test("what ended a month ago for a Project that is done goes, and all else stays: folders of sessions stayed for ever", async () => {
  ended("old", "done", 40);
  ended("gone-project", "deleted", 40);
  ended("older-but-waits", "waiting", 400);
  ended("recent", "done", 29);
  mkdirSync(path.join(folder.sessions, "damaged"));
  await forgetOldSessions(options());
  expect(left()).toEqual(["damaged", "older-but-waits", "recent"]);
});

test.each([
  { when: "is missing", text: undefined },
  { when: "is damaged", text: `${opened}\n{}\n{"seq":9,"at":0,"step":"released","id":"r"}\n` },
])("a ledger that $when keeps all of them, since nobody knows what they owe", async ({ text }) => {
  ended("old", "done", 40);
  ended("new", "done", 0);
  if (text === undefined) rmSync(ledger);
  else writeFileSync(ledger, text);
  await expect(forgetOldSessions(options())).rejects.toThrow(/ledger/);
  expect(left()).toEqual(["new", "old"]);
});

test("an operator that has lost its folder removes nothing", async () => {
  ended("old", "done", 40);
  ended("new", "done", 0);
  isHeld = false;
  await forgetOldSessions(options());
  expect(left()).toEqual(["new", "old"]);
});

test("it is looked a minute after the start and then once a day, until the operator ends", async () => {
  ended("old", "done", 40);
  ended("new", "done", 0);
  const forgetting = forgetOld(options());
  expect(left()).toEqual(["new", "old"]);
  await clock.advance(60_000);
  await expect.poll(left).toEqual(["new"]);
  ended("old-again", "done", 40);
  // The first look may still be at its last steps: a day begins when it is over.
  const aDayLater = async (): Promise<readonly string[]> => {
    await clock.advance(dayMs);
    return left();
  };
  await expect.poll(aDayLater).toEqual(["new"]);
  forgetting.abort();
  await settled();
  ended("after-the-end", "done", 40);
  await clock.advance(2 * dayMs);
  await settled();
  expect(existsSync(path.join(folder.sessions, "after-the-end"))).toBe(true);
});
