import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sessionMarker } from "../../../pkg/session/process-tree.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import { startTimeOf } from "../../../pkg/system/process-identity.ts";
import { runIn, startOperator, temporaryWorkspace } from "../testing/operator.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

let folder: WorkspaceFolder;
beforeEach(() => {
  folder = temporaryWorkspace();
});
afterEach(() => rmSync(folder.repository, { recursive: true, force: true }));

/** A process that ignores polite signals, with a child of its own, as a session's tools may be. */
async function stubborn(session: string) {
  const child = spawn("bash", ["-c", "trap '' TERM INT; sleep 600 & echo ready; wait"], {
    env: { ...process.env, [sessionMarker]: session },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  await once(child.stdout, "data");
  return child;
}

test("an emergency stop ends a session's whole tree without an operator, and stays engaged", async () => {
  const session = `stop-test-${process.pid}`;
  const host = await stubborn(session);
  const identity = { pid: host.pid ?? 0, startTime: (await startTimeOf(host.pid ?? 0)) ?? "" };
  sessionFolder(folder.sessions, session).writeHost({
    state: "running",
    attempt: "1",
    outermost: identity,
    host: identity,
    startedAtMs: 0,
  });

  const { exitCode, out } = await runIn(folder.repository, ["stop", "--emergency"]);

  expect(exitCode).toBe(0);
  expect(out[0]).toMatch(/^Stopped in \d+ ms: no session, tool or request is left\./);
  expect(await startTimeOf(identity.pid)).not.toBe(identity.startTime);
  expect(existsSync(folder.stopLatch)).toBe(true);
  expect(await runIn(folder.repository, ["stop", "--emergency"])).toMatchObject({ exitCode: 0 });
});

test("a damaged file of a session doesn't keep its processes alive", async () => {
  const session = `stop-damaged-${process.pid}`;
  const host = await stubborn(session);
  const startTime = await startTimeOf(host.pid ?? 0);
  mkdirSync(path.join(folder.sessions, session), { recursive: true });
  writeFileSync(path.join(folder.sessions, session, "host.json"), "{");
  expect(await runIn(folder.repository, ["stop", "--emergency"])).toMatchObject({ exitCode: 0 });
  expect(await startTimeOf(host.pid ?? 0)).not.toBe(startTime);
});

test("with an operator the Workspace says Stopped, and resume undoes both", async () => {
  await using operator = await startOperator(
    "{ apiVersion: bosun.dev/v1alpha1, kind: Workspace, metadata: { name: library }, spec: {} }",
  );
  const workspace = () => operator.client.get("Workspace", { namespace: "default", name: "library" });
  await operator.run("stop", "--emergency");
  expect((await workspace())?.spec.mode).toBe("Stopped");
  await operator.run("resume");
  expect((await workspace())?.spec.mode).toBe("Running");
  expect(existsSync(operator.folder.stopLatch)).toBe(false);
});

test("a plain stop interrupts the operator that the lock names", async () => {
  const operator = spawn("sleep", ["600"], { stdio: "ignore" });
  const startTime = await startTimeOf(operator.pid ?? 0);
  writeFileSync(
    path.join(folder.operator, "operator.json"),
    JSON.stringify({ pid: operator.pid, startTime }),
  );
  const ended = once(operator, "exit");
  expect(await runIn(folder.repository, ["stop"])).toMatchObject({ exitCode: 0 });
  expect(await ended).toEqual([null, "SIGINT"]);
});

test("a plain stop never signals a process that merely has the operator's old number", async () => {
  writeFileSync(
    path.join(folder.operator, "operator.json"),
    JSON.stringify({ pid: process.pid, startTime: "long ago" }),
  );
  expect(await runIn(folder.repository, ["stop"])).toMatchObject({ exitCode: 1 });
});
