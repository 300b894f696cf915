import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { endProcesses, signalExactly, treesIn } from "./end-processes.ts";
import { startTimeOf } from "./process-identity.ts";
import { eachProcess, type ProcessEntry, processTable, startTimeNow } from "./process-table.ts";
import { systemClock } from "./system.ts";

const limitMs = 20_000;
const mark = (name: string) => `END_PROCESSES_TEST=${name}-${process.pid}`;
const marked = (name: string) => (entry: ProcessEntry) => entry.environment.includes(mark(name));

/** Runs a script for bash that prints a line once it is ready, in a process group of its own. */
async function start(name: string, script: string) {
  const [variable = "", value] = mark(name).split("=");
  const child = spawn("bash", ["-c", script], {
    env: { ...process.env, [variable]: value },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  await once(child.stdout, "data");
  return child;
}

test("what a process has started ends with it, whatever the environment and session of it", async () => {
  const child = await start("tree", "trap '' TERM HUP INT; env -i setsid sleep 600 & echo $!; wait");
  const treeNow = () => treesIn(processTable(), marked("tree"));
  const hasBare = () =>
    treeNow().some(({ environment, parent }) => parent === child.pid && environment.length <= 1);
  await expect.poll(hasBare).toBe(true);
  const tree = treeNow();
  expect(await endProcesses({ roots: marked("tree"), clock: systemClock, limitMs })).toEqual([]);
  for (const { pid, startTime } of tree) expect(await startTimeOf(pid)).not.toBe(startTime);
});

test("what lies deep in a tree ends with it, though nothing of it shows a mark and its parents are gone by then", async () => {
  const deep = "sleep 600 & echo $!; wait";
  const child = await start("deep", `env -i setsid bash -c 'bash -c "${deep}"; true'; true`);
  const tree = treesIn(processTable(), marked("deep"));
  expect(tree).toHaveLength(4);
  expect(tree[0]?.pid).toBe(child.pid);
  expect(await endProcesses({ roots: marked("deep"), clock: systemClock, limitMs })).toEqual([]);
  for (const { pid, startTime } of tree) expect(await startTimeOf(pid)).not.toBe(startTime);
});

/** A process with a number that none has, in the group that is never signalled. */
const unreal = (pid: number, more: Partial<ProcessEntry> = {}): ProcessEntry => ({
  ...{ pid: 2 ** 30 + pid, parent: 1, group: 1, startTime: "then", environment: [] },
  ...more,
});

test("what takes longer to end than all that tells whose it is is waited for, and who gets its number then is not", async () => {
  const root = unreal(1, { environment: [mark("slow")] });
  const looks = [[root, unreal(2, { parent: root.pid })], [unreal(2)], [unreal(2)]];
  let looksAfter = 0;
  const table = () => {
    const look = looks.shift();
    if (look === undefined) looksAfter += 1;
    return look ?? [unreal(2, { startTime: "later" })];
  };
  const clock = new TestClock();
  const ended = endProcesses({ roots: marked("slow"), clock, limitMs, table });
  await clock.advance(limitMs + 100);
  expect(await ended).toEqual([]);
  expect(looksAfter).toBe(2);
});

test("what is still there when it is given up is told, and nothing else", async () => {
  const held = unreal(1, { environment: [mark("held")] });
  const clock = new TestClock();
  const table = () => [held, unreal(2)];
  const ended = endProcesses({ roots: marked("held"), clock, limitMs, table });
  await clock.advance(limitMs + 100);
  expect(await ended).toEqual([held]);
});

test("one look that found nothing was taken for proof where it came when it was to be given up", async () => {
  const hidden = unreal(1, { environment: [mark("late")] });
  const looks = [[hidden], [], [hidden]];
  const clock = new TestClock();
  const table = () => looks.shift() ?? [hidden];
  const ended = endProcesses({ roots: marked("late"), clock, limitMs: 5, table });
  await clock.advance(limitMs);
  expect(await ended).toEqual([hidden]);
});

test("what acts as soon as another ends is held first: it does not come to that", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bosun-watchers-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [fifo, acted] = [join(folder, "fifo"), join(folder, "acted")];
  execFileSync("mkfifo", [fifo]);
  await start("watchers", `exec 3<> ${fifo}; echo ready; exec sleep 600`);
  // In the group of one who stays, which no signal can be sent to as a whole: each is ended by itself.
  const watch = `env ${mark("watchers")} bash -c 'exec 3< ${fifo}; echo ready; read line <&3; : > ${acted}'`;
  const stays = spawn("bash", ["-c", `for i in 1 2 3 4 5; do ${watch} & done; sleep 600`], {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const pid = stays.pid ?? 0;
  onTestFinished(() => void process.kill(-pid, "SIGKILL"));
  let said = "";
  for await (const chunk of stays.stdout.iterator({ destroyOnReturn: false })) {
    said += chunk;
    if (said.length === "ready\n".repeat(5).length) break;
  }
  // Many come before them, which takes time enough to act.
  const others = Array.from({ length: 5_000 }, (_, number) =>
    unreal(number, { environment: [mark("watchers")] }),
  );
  const table = () => [...others.splice(0), ...processTable()];
  expect(await endProcesses({ roots: marked("watchers"), clock: systemClock, limitMs, table })).toEqual([]);
  expect(existsSync(acted)).toBe(false);
  expect(startTimeNow(pid)).toBeDefined();
});

test("where processes can't be looked at nothing is proven gone, and it says so", async () => {
  const platform = Object.getOwnPropertyDescriptor(process, "platform") as PropertyDescriptor;
  onTestFinished(() => {
    vi.unstubAllEnvs();
    Object.defineProperty(process, "platform", platform);
  });
  // As one that has to ask `ps`, which is not there.
  Object.defineProperty(process, "platform", { ...platform, value: "darwin" });
  vi.stubEnv("PATH", "/nowhere");
  const ended = endProcesses({ roots: marked("unseen"), clock: systemClock, limitMs });
  await expect(ended).rejects.toThrow("ENOENT");
});

test("what was hidden from one look is found by the one that is to prove that none is left", async () => {
  const { pid } = await start("hidden", "echo ready; sleep 600");
  let looks = 0;
  const roots = (entry: ProcessEntry): boolean => {
    if (entry.pid !== pid) return false;
    looks += 1;
    return looks > 1;
  };
  expect(await endProcesses({ roots, clock: systemClock, limitMs })).toEqual([]);
  expect(treesIn(processTable(), marked("hidden"))).toEqual([]);
});

test("a chain of processes that each start the next and end is ended", async () => {
  await start("chain", "f() { f & }; echo ready; f; exit");
  expect(await endProcesses({ roots: marked("chain"), clock: systemClock, limitMs })).toEqual([]);
  expect(treesIn(processTable(), marked("chain"))).toEqual([]);
});

test("what was started in its process group after the look ends with it", async () => {
  const { pid } = await start("group", "sleep 600 & echo $!; wait");
  const young = processTable().find(({ parent }) => parent === pid);
  if (young === undefined) throw new Error("It has started nothing.");
  onTestFinished(() => signalExactly(young, "SIGKILL"));
  const table = () => processTable().filter((entry) => entry.pid !== young.pid);
  expect(await endProcesses({ roots: marked("group"), clock: systemClock, limitMs, table })).toEqual([]);
  await expect.poll(() => startTimeNow(young.pid)).not.toBe(young.startTime);
});

test.runIf(process.platform === "linux")(
  "what ends before it is read is looked for again, in what it may have started",
  () => {
    const ended = new Set<number>();
    const readers: number[] = [];
    const seen = eachProcess((pid) => {
      // Each is gone when it is read for the first time.
      if (!ended.has(pid)) {
        ended.add(pid);
        return "gone";
      }
      readers.push(pid);
      return pid === process.pid || pid === process.ppid ? pid : undefined;
    });
    expect([...seen].sort()).toEqual([process.pid, process.ppid].sort());
    expect(new Set(readers).size).toBe(readers.length);
  },
);

test("the caller and its other children live on", async () => {
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  try {
    await start("one", "echo ready; sleep 600");
    expect(await endProcesses({ roots: marked("one"), clock: systemClock, limitMs })).toEqual([]);
    expect(startTimeNow(bystander.pid ?? 0)).toBeDefined();
  } finally {
    bystander.kill("SIGKILL");
  }
});

test("who shares a process group with what is to end lives on", async () => {
  const script = `env ${mark("guest")} sleep 600 & sleep 600`;
  const host = spawn("bash", ["-c", script], { stdio: "ignore", detached: true });
  const pid = host.pid ?? 0;
  try {
    const guests = (): number => processTable().filter(marked("guest")).length;
    await expect.poll(guests, { timeout: limitMs }).toBe(1);
    expect(await endProcesses({ roots: marked("guest"), clock: systemClock, limitMs })).toEqual([]);
    expect(startTimeNow(pid)).toBeDefined();
  } finally {
    process.kill(-pid, "SIGKILL");
  }
});

test("a process is not signalled when its number has another start time", async () => {
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  await once(bystander, "spawn");
  try {
    const roots = ({ pid, startTime }: ProcessEntry) => pid === bystander.pid && startTime === "long ago";
    expect(await endProcesses({ roots, clock: systemClock, limitMs })).toEqual([]);
    expect(startTimeNow(bystander.pid ?? 0)).toBeDefined();
  } finally {
    bystander.kill("SIGKILL");
  }
});

test("a number that was given away between a look and the signal is not signalled", async () => {
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  await once(bystander, "spawn");
  const pid = bystander.pid ?? 0;
  const ended = once(bystander, "exit");
  const startTime = startTimeNow(pid) ?? "";
  signalExactly({ pid, startTime: "long ago" }, "SIGKILL");
  signalExactly({ pid, startTime }, "SIGTERM");
  // Of two signals the stronger one would be told.
  expect(await ended).toEqual([null, "SIGTERM"]);
});

test("the table says of a process what its identity says", async () => {
  const own = processTable().find(({ pid }) => pid === process.pid);
  expect(own).toMatchObject({ parent: process.ppid, startTime: await startTimeOf(process.pid) });
  expect(startTimeNow(process.pid)).toBe(own?.startTime);
});
