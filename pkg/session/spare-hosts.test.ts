/** Hosts that are started before there is a session for them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { systemIds } from "../system/system.ts";
import { markedProcesses } from "./process-tree.ts";
import { SpareHosts } from "./spare-hosts.ts";
import type { OperatorOrder } from "./testing/operator.ts";
import { openStage, type Stage } from "./testing/stage.ts";
import { openUpstream, type Turn, type Upstream } from "./testing/upstream.ts";

const opened: (Stage | Upstream)[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const handIn: Turn = {
  call: "request_review",
  input: { summary: "Nothing to do.", evidence: [{ criterion: "AC-1", evidence: "readme.txt" }] },
};
const untilGo: Turn = { call: "bash", input: { command: "while [ ! -e ../go ]; do sleep 0.02; done" } };

async function stageWith(
  script: readonly Turn[],
  options: Parameters<typeof openStage>[1] = {},
): Promise<{ stage: Stage; upstream: Upstream }> {
  const upstream = await openUpstream((_, index) => script[index] ?? handIn);
  opened.push(upstream);
  const stage = await openStage(upstream, { spares: true, ...options });
  opened.push(stage);
  return { stage, upstream };
}

function idOf({ sessions }: Stage): string {
  const id = sessions.spareId();
  if (id === undefined) throw new Error("No host waits.");
  return id;
}

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await sleep(20);
};

/** Those of the first look that finds any: while it becomes another program a process shows no environment, and the next look may miss it. */
async function firstSeen(id: string, beforeEachLook = (): void => {}): Promise<readonly number[]> {
  let seen: readonly number[] = [];
  await until(async () => {
    beforeEachLook();
    seen = await markedProcesses(id);
    return seen.length > 0;
  });
  return seen;
}

/**
 * Whether two processes are a host and who started it in its namespace, or the same one: of the two a look may find one alone, as
 * long as the other is just becoming its program.
 */
function areOneHost(a: number, b: number): boolean {
  return a === b || parentOf(a) === b || parentOf(b) === a;
}

/** Undefined of one that has ended. */
function parentOf(pid: number): number | undefined {
  if (!existsSync(`/proc/${pid}/status`)) return undefined;
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

test.each(["Best", "Marker"] as const)(
  "a session that begins under a waiting host's id is run by that host to its outcome, containment %s",
  async (containment) => {
    const { stage } = await stageWith([untilGo], { containment });
    const id = idOf(stage);
    const waited = await firstSeen(id);
    const seen = await stage.sessions.start(stage.spec({ id }));
    if (seen.is !== "present") throw new Error(`The session is ${seen.is}.`);
    expect(waited.some((pid) => areOneHost(pid, seen.pid))).toBe(true);
    writeFileSync(join(stage.checkout, "../go"), "");
    expect(await stage.outcome(id)).toMatchObject({ kind: "Finished" });
    expect(await markedProcesses(id)).toEqual([]);
  },
);

test("a session that is expected to go on is run by the host that was started for it", async () => {
  const { stage } = await stageWith([handIn, handIn, untilGo]);
  const spec = stage.spec();
  await stage.sessions.start(spec);
  expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
  await until(async () => (await stage.sessions.find(spec.id)).is === "absent");
  // Not heard while what the first host left is still being cleared away.
  const waited = await firstSeen(spec.id, () => stage.sessions.expect(spec.id));
  expect(await stage.sessions.find(spec.id)).toMatchObject({ is: "absent", report: { run: 1 } });
  const seen = await stage.sessions.start({ ...spec, run: 2, message: "Do it again." });
  if (seen.is !== "present") throw new Error(`The session is ${seen.is}.`);
  expect(waited.some((pid) => areOneHost(pid, seen.pid))).toBe(true);
  writeFileSync(join(stage.checkout, "../go"), "");
  expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
});

test("an id is given once, and a session under any other begins without the host that waits", async () => {
  const { stage } = await stageWith([]);
  expect(idOf(stage)).not.toBe(idOf(stage));
  const spec = stage.spec();
  await stage.sessions.start(spec);
  expect(await stage.outcome(spec.id)).toMatchObject({ kind: "Finished" });
});

test("a host that waits is no session: nothing runs, and stopping it is no error", async () => {
  const { stage } = await stageWith([]);
  const id = idOf(stage);
  expect(await stage.sessions.running()).toEqual([]);
  expect(await stage.sessions.find(id)).toEqual({ is: "absent", report: undefined });
  await stage.sessions.stop(id, "Now");
});

test("a host that waits ends with the sessions that are closed, and leaves no folder; none is started later", async () => {
  const { stage } = await stageWith([]);
  const id = idOf(stage);
  await stage.sessions.close();
  stage.sessions.expect(stage.spec().id);
  expect(await markedProcesses(id)).toEqual([]);
  expect(readdirSync(stage.places.directory)).toEqual([]);
  expect(stage.sessions.spareId()).toBeUndefined();
});

test("the stop latch ends a host that waits by itself, and none is started while it is there", async () => {
  const { stage } = await stageWith([]);
  const id = idOf(stage);
  writeFileSync(stage.stopLatch, "");
  await until(async () => (await markedProcesses(id)).length === 0);
  // The other one that waited may be offered until it is gone.
  await until(async () => stage.sessions.spareId() === undefined);
});

test("a host that waits and heeds nothing is told no session once the stop is in force", async () => {
  const told = 'read line; echo "$line" > told';
  let admitting = (): void => undefined;
  const { stage } = await stageWith([], {
    hostCommand: ["/bin/sh", "-c", `cd "$0" && ${told}`],
    money: {
      admit: async () => {
        admitting();
        return { url: "http://127.0.0.1:1", token: "t" };
      },
      dismiss: async () => undefined,
    },
  });
  const id = idOf(stage);
  await until(async () => (await markedProcesses(id)).length > 0);
  admitting = () => writeFileSync(stage.stopLatch, "");
  await expect(stage.sessions.start(stage.spec({ id }))).rejects.toMatchObject({ reason: "Stopped" });
  await stage.sessions.stop(id, "Now");
  expect(existsSync(join(stage.places.directory, id, "told"))).toBe(false);
});

test("a host that nobody needs is gone after a minute, also one that ignores everything; one that has a session goes on", async () => {
  const directory = mkdtempSync(join(tmpdir(), "bosun-spares-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const clock = new TestClock();
  const children: ChildProcess[] = [];
  const spares = new SpareHosts({
    directory,
    spawn() {
      const script = "trap '' TERM HUP INT; echo ready; read line; exit 7";
      const child = spawn("bash", ["-c", script], { stdio: ["pipe", "pipe", "ignore"] });
      children.push(child);
      return child;
    },
    clock,
    ids: systemIds,
  });
  spares.prepare();
  await Promise.all(children.map(({ stdout }) => once(stdout as Readable, "data")));
  const taken = spares.take(spares.offer() ?? "");
  if (taken === undefined) throw new Error("No host waits.");
  const others = children.filter((child) => child !== taken);
  const exits = others.map((child) => once(child, "exit"));
  const end = once(taken, "exit");
  await clock.advance(60_000);
  expect(await Promise.all(exits)).toEqual([[null, "SIGKILL"]]);
  expect(readdirSync(directory)).toHaveLength(1);
  taken.stdin?.end("\n");
  expect(await end).toEqual([7, null]);
});

test("a host that waits ends when nobody is left who could tell it its session", async () => {
  const { stage } = await stageWith([], { spares: false });
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const args = [main, join(stage.places.directory, "nobody"), stage.stopLatch];
  const host = spawn(process.execPath, args, { stdio: ["pipe", "ignore", "inherit"] });
  host.stdin.end();
  expect(await once(host, "exit")).toEqual([0, null]);
});

test.each(["Best", "Marker"] as const)(
  "an operator finds the host that waited for its session, was told of it, and lost its operator, containment %s",
  async (containment) => {
    const { stage, upstream } = await stageWith([untilGo], { spares: false });
    const options = { ...stage.places, containment, spares: true };
    const order: OperatorOrder = { options, url: upstream.url, spec: stage.spec() };
    const script = fileURLToPath(new URL("./testing/operator.ts", import.meta.url));
    await once(spawn(process.execPath, [script, JSON.stringify(order)], { stdio: "ignore" }), "exit");
    const { directory } = stage.places;
    const id = readdirSync(directory).find((name) => existsSync(join(directory, name, "host.json"))) ?? "";
    expect(id).not.toBe(order.spec.id);

    const adopted = await stage.reopen();
    expect(await adopted.find(id)).toMatchObject({ is: "present", report: { run: 1 } });
    writeFileSync(join(stage.checkout, "../go"), "");
    expect(await stage.outcome(id)).toMatchObject({ kind: "Finished" });
  },
);

test("what an operator leaves of a host that nobody needed is cleared away by the next", async () => {
  const { stage } = await stageWith([]);
  const left = join(stage.places.directory, idOf(stage));
  const next = await stage.reopen();
  expect(existsSync(left)).toBe(false);
  await next.close();
});

test("a host that waited and whose folder can't be looked at as it ends is gone all the same, and its folder is left", async () => {
  const directory = mkdtempSync(join(tmpdir(), "bosun-spares-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const sessions = join(directory, "sessions");
  mkdirSync(sessions);
  const spares = new SpareHosts({
    directory: sessions,
    clock: new TestClock(),
    ids: systemIds,
    spawn: () => spawn("bash", ["-c", "read line"], { stdio: ["pipe", "ignore", "ignore"] }),
  });
  const id = spares.offer();
  renameSync(sessions, `${sessions}.aside`);
  symlinkSync(sessions, sessions);
  await spares.close();
  expect(readdirSync(`${sessions}.aside`)).toEqual([id]);
});
