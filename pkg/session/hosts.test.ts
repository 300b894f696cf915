import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { pidSpace } from "../system/pid-space.ts";
import { type ProcessIdentity, startTimeOf } from "../system/process-identity.ts";
import { startTimeNow } from "../system/process-table.ts";
import { systemClock, systemIds } from "../system/system.ts";
import { Hosts } from "./hosts.ts";
import { sessionMarker } from "./process-tree.ts";
import { type HostFile, sessionFolder } from "./session-folder.ts";
import type { SessionReport } from "./sessions.ts";
import { openStage } from "./testing/stage.ts";

const gone = { pid: 2 ** 30, startTime: "then" };

test.each([
  { what: "had no namespace", contained: false },
  { what: "did not say whether it had one", contained: undefined },
])("a host that is gone and $what proves nothing: what it has started is found and ended", async (row) => {
  const session = `hosts-test-${process.pid}-${row.contained}`;
  const left = spawn("bash", ["-c", "echo ready; sleep 600"], {
    env: { ...process.env, [sessionMarker]: session },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  onTestFinished(() => void left.kill("SIGKILL"));
  await once(left.stdout, "data");
  const hosts = new Hosts({ folderOf: (id) => sessionFolder("/nowhere", id), clock: systemClock });
  const running = { state: "running", attempt: "1", place: pidSpace(), startedAtMs: 0 } as const;
  const { contained } = row;
  const told = contained === undefined ? {} : { contained };
  const host: HostFile = { ...running, outermost: gone, host: gone, ...told };
  expect(await hosts.lookAt(session, host)).toBe("ending");
  expect(await hosts.end(session, host)).toBe(true);
  expect(startTimeNow(left.pid ?? 0)).toBeUndefined();
  expect(await hosts.lookAt(session, host)).toBe("gone");
});

test("who has the number of a host in another container lives on when that is ended", async () => {
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  onTestFinished(() => void bystander.kill("SIGKILL"));
  await once(bystander, "spawn");
  const pid = bystander.pid ?? 0;
  // As of one kernel, whose clock both count by.
  const startTime = (await startTimeOf(pid)) ?? "";
  const hosts = new Hosts({ folderOf: (id) => sessionFolder("/nowhere", id), clock: systemClock });
  const namesake = { outermost: { pid, startTime }, host: { pid, startTime } };
  const host: HostFile = {
    ...{ state: "running", attempt: "1", startedAtMs: 0, contained: true, ...namesake },
    place: "- another-kernel 1",
  };
  expect(await hosts.end(`hosts-test-${process.pid}-elsewhere`, host)).toBe(true);
  expect(startTimeNow(pid)).toBe(startTime);
});

test("a host in another container lives from when it says that it runs until it says how its run ended", async () => {
  const directory = mkdtempSync(join(tmpdir(), "bosun-hosts-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const folder = sessionFolder(directory, "session");
  const hosts = new Hosts({ folderOf: () => folder, clock: systemClock });
  const named = { attempt: "1", place: "- another-kernel 1" };
  const running: HostFile = { state: "running", ...named, outermost: gone, host: gone, startedAtMs: 0 };
  const times = { liveSeconds: 0, lastActivityMs: 0, heartbeatMs: 0 };
  const report: SessionReport = { run: 1, turns: 0, ...times, tasksDone: [], busy: false };
  expect(await hosts.lookAt("session", { state: "starting", ...named })).toBe("gone");
  expect(await hosts.lookAt("session", running)).toBe("alive");
  folder.writeReport(report, { durable: false });
  expect(await hosts.lookAt("session", running)).toBe("alive");
  const outcome = { kind: "Paused", reason: "Requested", message: "Asked." } as const;
  folder.writeReport({ ...report, outcome }, { durable: false });
  expect(await hosts.lookAt("session", running)).toBe("gone");
});

test("an attempt that had no process when it was looked at lives once it has one", async () => {
  const session = `hosts-test-${process.pid}-late`;
  const hosts = new Hosts({ folderOf: (id) => sessionFolder("/nowhere", id), clock: systemClock });
  const named = { attempt: "1", place: pidSpace() };
  expect(await hosts.lookAt(session, { state: "starting", ...named })).toBe("gone");
  const me = { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? "" };
  const host: HostFile = { state: "running", ...named, outermost: me, host: me, startedAtMs: 0 };
  expect(await hosts.lookAt(session, host)).toBe("alive");
});

test("who closes waits until what hosts that are gone have left is gone too, and leaves those alone that live", async () => {
  const stage = await openStage({ url: "http://127.0.0.1:9" });
  onTestFinished(() => stage.close());
  const hostLeaving = async (host?: ProcessIdentity): Promise<number> => {
    const id = systemIds.uuid();
    const env = { ...process.env, [sessionMarker]: id };
    const left = spawn("sleep", ["600"], { env, stdio: "ignore" });
    onTestFinished(() => void left.kill("SIGKILL"));
    await once(left, "spawn");
    const pid = left.pid ?? 0;
    const outermost = { pid, startTime: (await startTimeOf(pid)) ?? "" };
    const running = { state: "running", attempt: "1", place: pidSpace(), startedAtMs: 0 } as const;
    const folder = join(stage.places.directory, id);
    mkdirSync(folder);
    sessionFolder(stage.places.directory, id).writeHost({ ...running, outermost, host: host ?? outermost });
    return pid;
  };
  const left = await hostLeaving(gone);
  const living = await hostLeaving();
  await stage.sessions.close();
  expect(startTimeNow(left)).toBeUndefined();
  expect(startTimeNow(living)).toBeDefined();
});
