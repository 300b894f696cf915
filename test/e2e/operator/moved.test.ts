/** A workspace that a person has moved, or copied, with all that is in it; or whose folder of state was moved. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type WorkspaceFolder, workspaceFolder } from "../../../cmd/bosun/workspace-folder.ts";
import { markedProcesses } from "../../../pkg/session/process-tree.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import { workspaceMark } from "../../../pkg/system/workspace-mark.ts";
import { mergesOn } from "../merges.ts";
import { letGo, waitingCheckout } from "../owner/elsewhere.ts";
import { scratch } from "./scratch.ts";

/** The session that works; a host that waits for one has a folder too. */
function sessionIn({ sessions }: WorkspaceFolder): string {
  const id = readdirSync(sessions).find((name) => sessionFolder(sessions, name).readSpec() !== undefined);
  if (id === undefined) throw new Error("No session is at work.");
  return id;
}

test("a workspace that was moved while its agents worked goes on where it is now; no copy of it is let into its checkouts", async () => {
  const here = scratch({ projects: { one: { description: "[test: held]" } } });
  const before = path.join(here.folder, "where it was");
  const runIn = (place: string) => ["/bin/sh", "-c", 'cd "$0" && exec "$@"', place];
  renameSync(here.repository, before);
  mkdirSync(here.repository);
  const first = here.rehearseBy(runIn(before));
  await first.ready();
  await here.until("a command that waits", () => waitingCheckout(here, "agent-1"));
  const session = sessionIn(workspaceFolder(before));
  // What a command has left behind, and nobody's record names.
  const mark = workspaceMark(workspaceFolder(before).stopLatch);
  const stray = spawn("sleep", ["600"], { env: { ...process.env, ...mark }, stdio: "ignore" });
  onTestFinished(() => void stray.kill("SIGKILL"));
  const isGone = once(stray, "exit");
  first.signal("SIGKILL");
  await first.exited;
  const living = await markedProcesses(session);
  expect(living).not.toEqual([]);
  rmdirSync(here.repository);
  renameSync(before, here.repository);

  const second = here.rehearse();
  await second.ready();
  expect(second.output()).toContain(`This workspace was in ${before} before.`);
  expect((await markedProcesses(session)).filter((pid) => living.includes(pid))).toEqual([]);
  expect(await isGone).toEqual([null, "SIGKILL"]);
  letGo(await here.until("its checkout", () => waitingCheckout(here, "agent-1")));
  const done = await here.phase("one", "Done");
  expect(done.status).toMatchObject({ claimNumber: 1, submission: { claim: 1, agent: "agent-1" } });
  expect(mergesOn(here.repository, "refs/bosun/rehearsal/target/main", "main")).toMatchObject([
    { project: "one" },
  ]);
  expect(await markedProcesses(session)).toEqual([]);
  await second.end();

  const copy = path.join(here.folder, "copy");
  cpSync(here.repository, copy, { recursive: true, verbatimSymlinks: true });
  const third = here.rehearseBy(runIn(copy));
  expect(await third.exited).toBe(1);
  expect(third.output()).toContain(`${copy} and ${here.repository} are copies of one workspace`);
});

test("an operator that would look for the checkouts elsewhere (cron, another HOME) is refused, and what it says makes them go on there", async () => {
  const here = scratch({ projects: { one: { description: "[test: held]" } } });
  const first = here.rehearse();
  await first.ready();
  await here.until("a command that waits", () => waitingCheckout(here, "agent-1"));
  first.signal("SIGKILL");
  await first.exited;

  const other = path.join(here.folder, "other home", "state");
  const elsewhere = ["env", `XDG_STATE_HOME=${other}`];
  const refused = here.rehearseBy(elsewhere);
  expect(await refused.exited).toBe(1);
  expect(refused.output()).toContain(`Start with XDG_STATE_HOME=${path.join(here.folder, "state")};`);
  const [, move = ""] =
    /bosun stop --emergency && (mkdir -p .*) && bosun resume/.exec(refused.output()) ?? [];
  await here.tell("stop", "--emergency");
  execFileSync("sh", ["-c", move]);
  await here.tell("resume");

  const second = here.rehearseBy(elsewhere);
  await second.ready();
  const there = { folder: path.dirname(other) };
  letGo(await here.until("its checkout", () => waitingCheckout(there, "agent-1")));
  const done = await here.phase("one", "Done");
  expect(done.status).toMatchObject({ claimNumber: 1, submission: { claim: 1, agent: "agent-1" } });
  await second.end();
});
