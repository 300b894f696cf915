import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import type { Step } from "../../../pkg/gateway/ledger-lines.ts";
import { reservation } from "../../../pkg/gateway/testing/steps.ts";
import { registryClient } from "../../../pkg/registry/client.ts";
import type { Registry } from "../../../pkg/registry/registry.ts";
import { silentLogger } from "../../../pkg/runtime/logger.ts";
import { settled, TestClock } from "../../../pkg/runtime/testing/clock.ts";
import { type HostFile, sessionFolder } from "../../../pkg/session/session-folder.ts";
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

/** A session whose last file was written so many days ago, the others long before, and what else is in its folder by then. */
function ended(
  id: string,
  project: string,
  daysAgo: number,
  more: { spec?: Partial<SessionSpec>; host?: HostFile; last?: string } = {},
): void {
  const session = sessionFolder(folder.sessions, id);
  session.writeSpec({ id, agent: "agent-1", project, checkout: "/gone", ...more.spec } as SessionSpec);
  if (more.host !== undefined) session.writeHost(more.host);
  writeFileSync(session.transcriptPath, "{}\n");
  const { last = "transcript.jsonl" } = more;
  for (const name of readdirSync(session.path)) {
    const at = (clock.now() - (name === last ? daysAgo : daysAgo + 365) * dayMs) / 1000;
    utimesSync(path.join(session.path, name), at, at);
  }
}

const left = (): string[] => readdirSync(folder.sessions).sort();

test("what ended a month ago for a Project that is done goes, and all else stays: folders of sessions stayed for ever", async () => {
  ended("old", "done", 40);
  ended("gone-project", "deleted", 40);
  ended("older-but-waits", "waiting", 400);
  ended("recent", "done", 29);
  ended("recent-by-its-spec", "done", 29, { last: "spec.json" });
  mkdirSync(path.join(folder.sessions, "damaged"));
  await forgetOldSessions(options());
  expect(left()).toEqual(["damaged", "older-but-waits", "recent", "recent-by-its-spec"]);
});

const object = (kind: string, spec: string, status: string): string =>
  `apiVersion: bosun.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: one }\nspec: ${spec}\nstatus: ${status}`;

test.each<{
  when: string;
  old?: Parameters<typeof ended>[3];
  objects?: string;
  line?: Step;
  stays?: boolean;
}>([
  { when: "nobody needs it", stays: false },
  { when: "its host was not seen gone", old: { host: { state: "starting", attempt: "a", place: "here" } } },
  { when: "its checkout is there", old: { spec: { checkout: tmpdir() } } },
  { when: "it is the newest of its agent", old: { spec: { agent: "agent-2" } } },
  { when: "a request of it runs", line: reservation("r", { session: "old" }) },
  {
    when: "an Agent has it",
    objects: object("Agent", "{ pool: crew, role: Execution }", "{ session: { id: old, claim: 1 } }"),
  },
  {
    when: "a Review is claimed for it",
    objects: object(
      "Review",
      `{ project: done, author: agent-2, type: Completion, cycle: 1, baseCommit: ${"a".repeat(40)}, headCommit: ${"b".repeat(40)} }`,
      '{ state: Reviewing, claim: { number: 1, agent: agent-1, agentUID: u, session: old, claimedAt: "2026-01-01T00:00:00Z" } }',
    ),
  },
  {
    when: "an Escalation of its Project is open",
    objects: object("Escalation", "{ project: done, reason: Stuck }", "{ state: Open }"),
  },
])(
  "the folder of a session that ended long ago, when $when",
  async ({ old, objects, line, stays = true }) => {
    ended("old", "done", 40, old);
    ended("new", "done", 0);
    if (objects !== undefined) await createAll(registry, objects);
    if (line !== undefined) appendFileSync(ledger, `${JSON.stringify({ seq: 2, at: 0, ...line })}\n`);
    await forgetOldSessions(options());
    expect(left()).toEqual(stays ? ["new", "old"] : ["new"]);
  },
);

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
