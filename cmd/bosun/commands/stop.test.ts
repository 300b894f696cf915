import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { writeProcessRecord } from "../../../pkg/gateway/process-record.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { sessionMarker } from "../../../pkg/session/process-tree.ts";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import { pidSpace } from "../../../pkg/system/pid-space.ts";
import { startTimeOf } from "../../../pkg/system/process-identity.ts";
import { processTable } from "../../../pkg/system/process-table.ts";
import { socketPath } from "../../../pkg/system/socket-path.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import { endsWith, workspaceMark } from "../../../pkg/system/workspace-mark.ts";
import type { Context } from "../context.ts";
import { type Holder, lockTerms } from "../operator/lock-terms.ts";
import { settleHere } from "../operator/state-directory.ts";
import { runIn, startOperator, temporaryWorkspace, until } from "../testing/operator.ts";
import { type WorkspaceFolder, workspaceFolder } from "../workspace-folder.ts";
import { stop } from "./stop.ts";

let folder: WorkspaceFolder;
beforeEach(() => {
  folder = temporaryWorkspace();
});
afterEach(() => rmSync(folder.repository, { recursive: true, force: true }));

/** A process that ignores polite signals, with a child of its own, as a session's tools may be. */
async function stubborn(session: string) {
  const child = spawn("bash", ["-c", "trap '' TERM INT; sleep 600 & echo ready; wait"], {
    env: { ...process.env, ...workspaceMark(folder.stopLatch), [sessionMarker]: session },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  await once(child.stdout, "data");
  return child;
}

/** As an operator that holds the lock and does nothing else. */
function holdLock(holder: Pick<Holder, "pid" | "startTime"> & Partial<Holder>): void {
  const rest = { place: pidSpace(), term: 1, heartbeatMs: Date.now() };
  lockTerms(path.join(folder.operator, "lock")).take(1, { ...rest, ...holder });
}

test("an emergency stop ends a session's whole tree without an operator, and stays engaged", async () => {
  const session = `stop-test-${process.pid}`;
  const host = await stubborn(session);
  const identity = { pid: host.pid ?? 0, startTime: (await startTimeOf(host.pid ?? 0)) ?? "" };
  sessionFolder(folder.sessions, session).writeHost({
    state: "running",
    place: pidSpace(),
    attempt: "1",
    outermost: identity,
    host: identity,
    startedAtMs: 0,
  });

  const { exitCode, out } = await runIn(folder.repository, ["stop", "--emergency"]);

  expect(exitCode).toBe(0);
  expect(out[0]).toMatch(/^Stopped in \d+ ms: no session, tool, check or request is left, by two scans/);
  expect(await startTimeOf(identity.pid)).not.toBe(identity.startTime);
  expect(existsSync(folder.stopLatch)).toBe(true);
  expect(await runIn(folder.repository, ["stop", "--emergency"])).toMatchObject({ exitCode: 0 });
});

test.each([
  { host: "lives", said: "turns finish and work is saved. At once: bosun stop --emergency" },
  { host: "is gone", said: "no session is at work." },
])("who asks an operator to end while a session's host $host is told what is waited for", async (row) => {
  const [operator, host] = [0, 1].map(() => {
    const child = spawn("sleep", ["600"], { stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  });
  const identityOf = async (pid = 0) => ({ pid, startTime: (await startTimeOf(pid)) ?? "" });
  const identity = await identityOf(host?.pid);
  if (row.host === "is gone") identity.startTime = "of another process";
  sessionFolder(folder.sessions, "one").writeHost({
    ...{ state: "running", place: pidSpace(), attempt: "1", startedAtMs: Date.now() },
    ...{ outermost: identity, host: identity },
  });
  holdLock(await identityOf(operator?.pid));
  expect(await runIn(folder.repository, ["stop"])).toMatchObject({
    exitCode: 0,
    out: [`Asked the operator (process ${operator?.pid}) to end: ${row.said}`],
  });
});

test("an operator that is suspended is asked to end, too: it was left to hear of that when somebody let it go on", async () => {
  const operator = spawn("sleep", ["600"], { stdio: "ignore" });
  onTestFinished(() => void operator.kill("SIGKILL"));
  holdLock({ pid: operator.pid ?? 0, startTime: (await startTimeOf(operator.pid ?? 0)) ?? "" });
  operator.kill("SIGSTOP");
  const exited = once(operator, "exit");
  expect(await runIn(folder.repository, ["stop"])).toMatchObject({ exitCode: 0 });
  expect(await exited).toEqual([null, "SIGINT"]);
});

test("both processes that a session's folder names are ended, whatever they show of themselves", async () => {
  const unmarked = [0, 1].map(() => spawn("sleep", ["600"], { stdio: "ignore", detached: true }));
  const [outermost, host] = await Promise.all(
    unmarked.map(async ({ pid = 0 }) => ({ pid, startTime: (await startTimeOf(pid)) ?? "" })),
  );
  if (outermost === undefined || host === undefined) throw new Error("They did not start.");
  onTestFinished(() => unmarked.forEach((child) => void child.kill("SIGKILL")));
  const place = pidSpace();
  const running = { state: "running", place, attempt: "1", startedAtMs: 0 } as const;
  sessionFolder(folder.sessions, `stop-named-${process.pid}`).writeHost({ ...running, outermost, host });
  expect(await runIn(folder.repository, ["stop", "--emergency"])).toMatchObject({ exitCode: 0 });
  for (const { pid, startTime } of [outermost, host]) expect(await startTimeOf(pid)).not.toBe(startTime);
});

test.each([
  { isOld: false, ends: true },
  { isOld: true, ends: false },
])("what the gateway's record names ends, its number given away: $isOld, $ends", async ({ isOld, ends }) => {
  const gateway = spawn("sleep", ["600"], { stdio: "ignore", detached: true });
  const { pid = 0 } = gateway;
  const startTime = (await startTimeOf(pid)) ?? "";
  mkdirSync(folder.gateway, { recursive: true });
  const record = { pid, startTime: isOld ? "long ago" : startTime, port: 1, socketPath: "/nowhere" };
  await writeProcessRecord(folder.gateway, record);
  expect(await runIn(folder.repository, ["stop", "--emergency"])).toMatchObject({ exitCode: 0 });
  expect(await startTimeOf(pid)).toBe(ends ? undefined : startTime);
  gateway.kill("SIGKILL");
});

test("in a copy of a workspace neither stop ends what its records name, as long as the original is there", async () => {
  const [operator, host, gateway] = await Promise.all(
    [0, 1, 2].map(async () => {
      const child = spawn("sleep", ["600"], { stdio: "ignore", detached: true });
      onTestFinished(() => void child.kill("SIGKILL"));
      return { pid: child.pid ?? 0, startTime: (await startTimeOf(child.pid ?? 0)) ?? "" };
    }),
  );
  if (operator === undefined || host === undefined || gateway === undefined) throw new Error("No processes.");
  const state = mkdtempSync(path.join(tmpdir(), "bosun-state-"));
  const copy = workspaceFolder(`${folder.repository}-copy`);
  onTestFinished(() => [state, copy.repository].forEach((made) => void rmSync(made, { recursive: true })));
  mkdirSync(path.join(state, "gateway"));
  symlinkSync(path.join(state, "gateway"), folder.gateway);
  settleHere(folder, state);
  await writeProcessRecord(folder.gateway, { ...gateway, port: 1, socketPath: "" });
  const running = { state: "running", place: pidSpace(), attempt: "1", startedAtMs: 0 } as const;
  sessionFolder(folder.sessions, "s-1").writeHost({ ...running, outermost: host, host });
  holdLock(operator);
  cpSync(folder.repository, copy.repository, { recursive: true, verbatimSymlinks: true });

  expect(await runIn(copy.repository, ["stop"])).toMatchObject({
    exitCode: 1,
    notes: [expect.stringContaining(`No operator of ${copy.repository} runs`)],
  });
  expect(await runIn(copy.repository, ["stop", "--emergency"])).toMatchObject({
    exitCode: 0,
    notes: [expect.stringContaining(`${copy.repository} is a copy of ${folder.repository}`)],
  });
  expect(existsSync(copy.stopLatch)).toBe(true);
  for (const { pid, startTime } of [operator, host, gateway]) expect(await startTimeOf(pid)).toBe(startTime);

  // Without the original it is the workspace, which was moved.
  rmSync(folder.repository, { recursive: true });
  await runIn(copy.repository, ["stop", "--emergency"]);
  for (const { pid, startTime } of [operator, host, gateway])
    expect(await startTimeOf(pid)).not.toBe(startTime);
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

test("a process that merely has the number of a dead host is left alone", async () => {
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  try {
    const identity = { pid: bystander.pid ?? 0, startTime: "long ago" };
    sessionFolder(folder.sessions, "stop-reused").writeHost({
      state: "running",
      place: pidSpace(),
      attempt: "1",
      outermost: identity,
      host: identity,
      startedAtMs: 0,
    });
    expect(await runIn(folder.repository, ["stop", "--emergency"])).toMatchObject({ exitCode: 0 });
    expect(await startTimeOf(identity.pid)).toBeDefined();
  } finally {
    bystander.kill("SIGKILL");
  }
});

test.each<{ what: string; is: Partial<Holder> }>([
  { what: "merely has the operator's old number", is: { startTime: "long ago" } },
  { what: "has let go of the lock", is: { isReleased: true } },
])("an emergency stop leaves a process alone that $what", async ({ is }) => {
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  try {
    const startTime = (await startTimeOf(bystander.pid ?? 0)) ?? "";
    holdLock({ pid: bystander.pid ?? 0, startTime, ...is });
    const { exitCode, out } = await runIn(folder.repository, ["stop", "--emergency"]);
    expect(exitCode).toBe(0);
    expect(out.join("\n")).not.toContain("gave no answer");
    expect(await startTimeOf(bystander.pid ?? 0)).toBe(startTime);
  } finally {
    bystander.kill("SIGKILL");
  }
});

test.each([
  { what: "takes a tenth of a second to answer", answersMs: 100, breaksOff: 0 },
  { what: "breaks off the first connections, as one that starts", answersMs: 0, breaksOff: 2 },
])("an operator that $what is not taken for silent", async ({ answersMs, breaksOff }) => {
  await using answering = createServer((_, response) => void setTimeout(() => response.end(), answersMs));
  let connections = 0;
  answering.on("connection", (socket) => {
    connections += 1;
    if (connections <= breaksOff) socket.destroy();
  });
  answering.listen(socketPath(folder.socket));
  const operator = spawn("sleep", ["600"], { stdio: "ignore" });
  try {
    const startTime = (await startTimeOf(operator.pid ?? 0)) ?? "";
    holdLock({ pid: operator.pid ?? 0, startTime });
    const { exitCode, out } = await runIn(folder.repository, ["stop", "--emergency"]);
    expect(exitCode).toBe(0);
    expect(out.join("\n")).not.toContain("gave no answer");
    expect(await startTimeOf(operator.pid ?? 0)).toBe(startTime);
  } finally {
    operator.kill("SIGKILL");
  }
});

test("what a silent operator starts until it is ended is found too", async () => {
  const [[name, value] = ["", ""]] = Object.entries(workspaceMark(folder.stopLatch));
  // For a minute, should this test be killed: twice what a stop may take.
  const starts = `trap '' TERM; for _ in {1..400}; do ${name}=${value} setsid sleep 600 & sleep 0.15; done`;
  const operator = spawn("bash", ["-c", starts], { stdio: "ignore" });
  holdLock({ pid: operator.pid ?? 0, startTime: (await startTimeOf(operator.pid ?? 0)) ?? "" });

  const { exitCode, out } = await runIn(folder.repository, ["stop", "--emergency"]);

  expect(exitCode).toBe(0);
  expect(out.join("\n")).toContain(`The operator (process ${operator.pid}) gave no answer`);
  expect(await startTimeOf(operator.pid ?? 0)).toBeUndefined();
  expect(processTable().filter(endsWith(folder.stopLatch))).toEqual([]);
});

test("what an operator starts right before it is killed is found, though nothing was left a moment before", async () => {
  const operator = spawn("sleep", ["600"], { stdio: "ignore" });
  holdLock({ pid: operator.pid ?? 0, startTime: (await startTimeOf(operator.pid ?? 0)) ?? "" });
  const started: ChildProcess[] = [];
  onTestFinished(() => started.forEach((child) => void child.kill("SIGKILL")));
  const env = { ...process.env, ...workspaceMark(folder.stopLatch) };
  const sleep: Clock["sleep"] = async (ms, signal) => {
    // The time in which the operator has to be gone begins.
    if (ms === 10_000) started.push(spawn("sleep", ["600"], { env, stdio: "ignore" }));
    await systemClock.sleep(ms, signal);
  };
  await stopOn({ clock: { ...systemClock, sleep } });
  expect(started).toHaveLength(1);
  expect(processTable().filter(endsWith(folder.stopLatch))).toEqual([]);
});

test("a workspace's stop leaves another workspace's processes alone", async () => {
  const other = temporaryWorkspace();
  try {
    const host = spawn("sleep", ["600"], {
      env: { ...process.env, ...workspaceMark(other.stopLatch) },
      stdio: "ignore",
    });
    await once(host, "spawn");
    expect(await runIn(folder.repository, ["stop", "--emergency"])).toMatchObject({ exitCode: 0 });
    expect(await startTimeOf(host.pid ?? 0)).toBeDefined();
    expect(await runIn(other.repository, ["stop", "--emergency"])).toMatchObject({ exitCode: 0 });
    expect(await startTimeOf(host.pid ?? 0)).toBeUndefined();
  } finally {
    rmSync(other.repository, { recursive: true, force: true });
  }
});

test("where the latch can't be written everything is ended all the same, an operator that answers too, and it says so", async () => {
  await using answering = createServer((_, response) => response.end());
  answering.listen(socketPath(folder.socket));
  const session = `stop-unwritable-${process.pid}`;
  const host = await stubborn(session);
  const operator = spawn("sleep", ["600"], { stdio: "ignore" });
  const startTime = await startTimeOf(operator.pid ?? 0);
  holdLock({ pid: operator.pid ?? 0, startTime: startTime ?? "" });
  const create = async (): Promise<never> => {
    throw new Error("The disk is full.");
  };
  const stopped = stopOn({ fs: { ...nodeFileSystem, create } });
  await expect(stopped).rejects.toThrow("not safe on the disk (The disk is full.)");
  expect(await startTimeOf(host.pid ?? 0)).toBeUndefined();
  expect(await startTimeOf(operator.pid ?? 0)).toBeUndefined();
});

test("where its records can't be read everything that bears the mark is ended all the same, and it says what is not known", async () => {
  const host = await stubborn(`stop-unreadable-${process.pid}`);
  // Links to themselves lead nowhere, for root as well.
  for (const record of [path.join(folder.operator, "lock"), folder.gateway, folder.sessions])
    symlinkSync(record, record);
  const { exitCode, out, notes } = await runIn(folder.repository, ["stop", "--emergency"]);
  expect({ exitCode, out }).toEqual({ exitCode: 1, out: [] });
  expect(notes.join("\n")).toMatch(/Whether an operator runs can't be told \(.*lock.*run it again/);
  expect(await startTimeOf(host.pid ?? 0)).toBeUndefined();
});

/** As `bosun stop --emergency` in the workspace, on the disk and by the clock that are named. */
async function stopOn({ fs = nodeFileSystem, clock = systemClock }): Promise<void> {
  const context = { cwd: folder.repository, out: () => {}, note: () => {} } as unknown as Context;
  await stop(context, { emergency: true }, { clock, fs });
}

test("a latch that all see and the disk may lose ends everything, and the stop says that it is not safe", async () => {
  const host = await stubborn(`stop-unsafe-${process.pid}`);
  const syncDirectory = async (): Promise<never> => {
    throw new Error("The disk has failed.");
  };
  const stopped = stopOn({ fs: { ...nodeFileSystem, syncDirectory } });
  await expect(stopped).rejects.toThrow("not safe on the disk (The disk has failed.)");
  expect(existsSync(folder.stopLatch)).toBe(true);
  expect(await startTimeOf(host.pid ?? 0)).toBeUndefined();
});

test("what could not be proven gone is named, and the stop does not claim to be done", async () => {
  let asked = 0;
  let late: Promise<unknown> | undefined;
  const startLate = async () => {
    // Asked by the stop, then twice by the first look at all processes.
    await until(() => asked >= 3, "the first look is over");
    await stubborn(`stop-late-${process.pid}`);
  };
  const clock: Clock = {
    ...systemClock,
    // No second look comes within the limit.
    elapsed() {
      asked += 1;
      return systemClock.elapsed() + 60_000 * asked;
    },
    // Slept is first by who waits for an answer of the operator.
    async sleep(ms, signal) {
      late ??= startLate();
      await late;
      await systemClock.sleep(ms, signal);
    },
  };
  await stubborn(`stop-found-${process.pid}`);
  await expect(stopOn({ clock })).rejects.toThrow(/^Still alive: process \d+/);
});

test("an operator that was killed and is still there is named, and the stop does not claim to be done", async () => {
  const operator = spawn("sleep", ["600"], { stdio: "ignore" });
  onTestFinished(() => void operator.kill("SIGKILL"));
  const startTime = (await startTimeOf(operator.pid ?? 0)) ?? "";
  holdLock({ pid: operator.pid ?? 0, startTime });
  // As where a disk holds it: no signal ends it in the time in which it has to be gone, which is over at once.
  const signalled: unknown[] = [];
  const kill = process.kill.bind(process);
  vi.spyOn(process, "kill").mockImplementation((pid, signal) => {
    if (pid !== operator.pid) return kill(pid, signal);
    signalled.push(signal);
    return true;
  });
  const sleep: Clock["sleep"] = async (ms, signal) => {
    if (ms < 10_000) await systemClock.sleep(ms, signal);
  };
  const stopped = stopOn({ clock: { ...systemClock, sleep } });
  await expect(stopped).rejects.toThrow(`Still alive: the operator, process ${operator.pid}.`);
  expect(signalled).toEqual(["SIGKILL"]);
});

test("an operator on another kernel is named, not killed by its number here, and the stop does not claim to be done", async () => {
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  try {
    const startTime = await startTimeOf(bystander.pid ?? 0);
    holdLock({ pid: bystander.pid ?? 0, startTime: startTime ?? "", place: "another" });
    const { exitCode, notes, out } = await runIn(folder.repository, ["stop", "--emergency"]);
    expect(exitCode).toBe(1);
    expect(out).toEqual([]);
    expect(notes.join("\n")).toContain("another machine or in another container");
    expect(await startTimeOf(bystander.pid ?? 0)).toBe(startTime);
  } finally {
    bystander.kill("SIGKILL");
  }
});

test("an operator on another kernel that listens and never answers is let go of: the command did not end before it did", async () => {
  await using silent = createServer(() => undefined);
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  silent.on("connection", (connection) => connection.once("close", leave));
  silent.listen(socketPath(folder.socket));
  holdLock({ pid: 1, startTime: "long ago", place: "another" });
  expect(await runIn(folder.repository, ["stop", "--emergency"])).toMatchObject({ exitCode: 1 });
  await left;
});

test("an operator on another kernel that has shown no life for long keeps no stop from being done", async () => {
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  try {
    const startTime = (await startTimeOf(bystander.pid ?? 0)) ?? "";
    const heartbeatMs = Date.now() - 3_600_000;
    holdLock({ pid: bystander.pid ?? 0, startTime, place: "another", heartbeatMs });
    const { exitCode, out } = await runIn(folder.repository, ["stop", "--emergency"]);
    expect(exitCode).toBe(0);
    expect(out[0]).toMatch(/^Stopped in/);
    expect(await startTimeOf(bystander.pid ?? 0)).toBe(startTime);
  } finally {
    bystander.kill("SIGKILL");
  }
});

test("resume releases the latch and sets the mode; without an operator it says who goes on", async () => {
  await using operator = await startOperator(
    "{ apiVersion: bosun.dev/v1alpha1, kind: Workspace, metadata: { name: library }, spec: { mode: Stopped } }",
  );
  await operator.run("stop", "--emergency");
  await operator.run("resume");
  const workspace = await operator.client.get("Workspace", { namespace: "default", name: "library" });
  expect(workspace?.spec.mode).toBe("Running");
  expect(existsSync(operator.folder.stopLatch)).toBe(false);

  await runIn(folder.repository, ["stop", "--emergency"]);
  const { exitCode, out } = await runIn(folder.repository, ["resume"]);
  expect(exitCode).toBe(0);
  expect(out.join("\n")).toContain("`bosun up` goes on");
  expect(existsSync(folder.stopLatch)).toBe(false);
  expect(await runIn(folder.repository, ["resume"])).toMatchObject({ exitCode: 1 });
});

test("resume does not say that work goes on where a stop came right after it", async () => {
  await using operator = await startOperator(
    "{ apiVersion: bosun.dev/v1alpha1, kind: Workspace, metadata: { name: library }, spec: { mode: Stopped } }",
  );
  await operator.run("stop", "--emergency");
  const resumed = operator.run("resume");
  const key = { namespace: "default", name: "library" };
  await until(
    async () => (await operator.client.get("Workspace", key))?.spec.mode === "Running",
    "the mode to be Running",
  );
  // While it waits for the operator to agree, which nobody does here.
  writeFileSync(operator.folder.stopLatch, "");
  const { exitCode, out, notes } = await resumed;
  expect({ exitCode, out }).toEqual({ exitCode: 1, out: [] });
  expect(notes.join("\n")).toContain("It was stopped again meanwhile");
});

test("a plain stop interrupts the operator that the lock names", async () => {
  const operator = spawn("sleep", ["600"], { stdio: "ignore" });
  const startTime = await startTimeOf(operator.pid ?? 0);
  holdLock({ pid: operator.pid ?? 0, startTime: startTime ?? "" });
  const ended = once(operator, "exit");
  expect(await runIn(folder.repository, ["stop"])).toMatchObject({ exitCode: 0 });
  expect(await ended).toEqual([null, "SIGINT"]);
});

test.each([
  { what: "merely has the operator's old number", is: { startTime: "long ago" } },
  { what: "has the number that the operator has elsewhere", is: { place: "another" } },
])("a plain stop never signals a process that $what", async ({ is }) => {
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  try {
    const startTime = (await startTimeOf(bystander.pid ?? 0)) ?? "";
    holdLock({ pid: bystander.pid ?? 0, startTime, ...is });
    expect(await runIn(folder.repository, ["stop"])).toMatchObject({ exitCode: 1 });
    expect(await startTimeOf(bystander.pid ?? 0)).toBe(startTime);
  } finally {
    bystander.kill("SIGKILL");
  }
});

test("status and why say that all is stopped from the latch on, whatever the Workspace says by then", async () => {
  await using operator = await startOperator(
    "{ apiVersion: bosun.dev/v1alpha1, kind: Workspace, metadata: { name: library }, spec: { mode: Running } }",
  );
  const said = async (command: string) => (await operator.run(command)).out.join("\n");
  expect(await said("status")).toContain("main, Running");
  writeFileSync(operator.folder.stopLatch, "");
  expect(await said("status")).toContain(
    "main, Stopped\nStopped: The emergency stop is in force. `bosun resume`",
  );
  expect(await said("why")).toContain("The workspace is stopped");
});
