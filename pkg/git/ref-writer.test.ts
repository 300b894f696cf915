import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { startTimeNow } from "../system/process-table.ts";
import { gitLimits } from "./limits.ts";
import { RefWriter, transaction } from "./ref-writer.ts";
import { passingLimits } from "./testing/passing-limits.ts";

function repository(script = 'echo $$ >>pids; exec git "$@"') {
  const folder = mkdtempSync(join(tmpdir(), "bosun-writer-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const git = (args: readonly string[], input = ""): string =>
    execFileSync("git", args, { cwd: folder, encoding: "utf8", input, stdio: "pipe" }).trim();
  git(["init", "--quiet", "--bare", "."]);
  const [one = "", two = ""] = ["one", "two"].map((text) => git(["hash-object", "-w", "--stdin"], text));
  const args = ["-c", "core.filesRefLockTimeout=100", "update-ref", "--no-deref", "--stdin", "-m", "test"];
  const env = { PATH: process.env.PATH ?? "", GIT_DIR: folder };
  const command = { file: "sh", args: ["-c", script, "sh", ...args], env, cwd: folder };
  const writer = new RefWriter(command);
  const refs = (): string => git(["for-each-ref", "--format=%(refname) %(objectname)"]);
  const pids = (): number[] => readFileSync(join(folder, "pids"), "utf8").trim().split("\n").map(Number);
  const isThere = (name: string): boolean => existsSync(join(folder, name));
  return { folder, git, one, two, writer, refs, pids, isThere };
}

test("many transactions at once are made in their order by one process, also beside what others do", async () => {
  // However long the test takes, the process is not too old.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { git, one, two, writer, refs, pids } = repository();
  const steps = [
    `update refs/a/x ${one} ${"0".repeat(40)}`,
    `update refs/a/x ${two} ${one}`,
    `delete refs/a/x ${two}`,
  ];
  const done = await Promise.all(
    steps.map((line) => writer.transact([line, `verify refs/gone ${"0".repeat(40)}`])),
  );
  expect(done.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  expect(refs()).toBe("");

  git(["update-ref", "refs/a/x", two]);
  git(["pack-refs", "--all"]);
  expect(await writer.transact([`update refs/a/x ${one} ${two}`])).toMatchObject({ exitCode: 0 });
  // Of an object that came after the process began.
  const three = git(["hash-object", "-w", "--stdin"], "three");
  expect(await writer.transact([`update refs/a/x ${three} ${one}`])).toMatchObject({ exitCode: 0 });
  expect(refs()).toBe(`refs/a/x ${three}`);
  expect(pids()).toHaveLength(1);
});

test("one that fails makes none of its changes and says why, and those after it are made", async () => {
  const { folder, one, two, writer, refs } = repository();
  const lines = [`update refs/a ${one}`, `verify refs/b ${two}`];
  const [failed, made] = await Promise.all([
    writer.transact(lines),
    writer.transact([`update refs/c ${one}`]),
  ]);
  expect(failed.exitCode).not.toBe(0);
  expect(failed.stderr).toContain("unable to resolve reference");
  expect(made.exitCode).toBe(0);
  expect(refs()).toBe(`refs/c ${one}`);
  expect(existsSync(join(folder, "refs/a.lock"))).toBe(false);
});

test("a process that was killed when it had nothing to do is replaced", async () => {
  const { one, two, writer, refs, pids } = repository();
  await writer.transact([`update refs/a ${one}`]);
  process.kill(pids()[0] ?? 0, "SIGKILL");
  expect(await writer.transact([`update refs/a ${two} ${one}`])).toMatchObject({ exitCode: 0 });
  expect(refs()).toBe(`refs/a ${two}`);
});

test("a process that dies within a transaction has not done it, and it is not begun again unasked", async () => {
  const { one, writer, pids } = repository(
    "echo $$ >>pids; read line; echo start: ok; read line; kill -9 $$",
  );
  expect(await writer.transact([`update refs/a ${one}`])).toMatchObject({ exitCode: 128 });
  expect(pids()).toHaveLength(1);
});

test.each([
  { how: "holds its locks", hangs: '{ head -n 3; exec sleep 1000; } | git "$@"', once: "refs/a.lock" },
  {
    how: "does not heed being asked to end",
    hangs: "trap '' TERM; echo start: ok; touch deaf; exec sleep 1000",
    once: "deaf",
  },
])(
  "one that $how is ended as late, nobody knows what it did, and the next is another's",
  async ({ hangs, once }) => {
    const { one, writer, refs, pids, isThere } = repository(
      `echo $$ >>pids; [ -e hung ] && exec git "$@"; touch hung; ${hangs}`,
    );
    const line = `update refs/a ${one}`;
    const pass = passingLimits();
    const late = expect(writer.transact([line])).rejects.toMatchObject({
      reason: "GitTimedOut",
      message: expect.stringMatching(/did not end within 30s and was ended\. .* disk/),
    });
    await expect.poll(() => isThere(once)).toBe(true);
    await pass(gitLimits.quickMs);
    if (once === "deaf") await pass(gitLimits.graceMs);
    await late;
    expect(() => process.kill(pids()[0] ?? 0, 0)).toThrow("ESRCH");
    expect(isThere("refs/a.lock")).toBe(false);
    expect(await writer.transact([line])).toMatchObject({ exitCode: 0 });
    expect(refs()).toBe(`refs/a ${one}`);
    expect(pids()).toHaveLength(2);
  },
);

test("one that can't be ended, since what it has started holds its pipes, keeps neither the next nor this process", async () => {
  const holder = '(sh -c "echo \\$\\$ >holder; exec sleep 1000" &)';
  const { folder, one, writer, refs, pids } = repository(
    `echo $$ >>pids; [ -e hung ] && exec git "$@"; touch hung; ${holder}; exec sleep 1000`,
  );
  const holderFile = join(folder, "holder");
  onTestFinished(() => {
    const pid = existsSync(holderFile) ? Number(readFileSync(holderFile, "utf8")) : 0;
    if (pid > 0) process.kill(pid, "SIGKILL");
  });
  const keeping = () => process.getActiveResourcesInfo().filter((name) => /Pipe|Process/.test(name));
  const before = keeping();
  const pass = passingLimits();
  const late = expect(writer.transact([`update refs/a ${one}`])).rejects.toMatchObject({
    reason: "GitTimedOut",
    message: expect.stringMatching(
      /did not end within 30s and goes on as process \d+, or what that has started\./,
    ),
  });
  await expect.poll(() => existsSync(holderFile) && readFileSync(holderFile, "utf8")).toMatch(/\n$/);
  for (const ms of [gitLimits.quickMs, gitLimits.graceMs, gitLimits.graceMs]) await pass(ms);
  await late;
  expect(keeping()).toEqual(before);
  expect(await writer.transact([`update refs/a ${one}`])).toMatchObject({ exitCode: 0 });
  expect(refs()).toBe(`refs/a ${one}`);
  expect(pids()).toHaveLength(2);
});

test("one that was done before it fell silent is found to be done by who looks anew", async () => {
  const { one, two, writer, refs, isThere } = repository(
    '[ -e hung ] && exec git "$@"; touch hung; head -n 4 | git "$@" >/dev/null; touch done; exec sleep 1000',
  );
  const pass = passingLimits();
  const late = expect(writer.transact([`update refs/a ${one}`])).rejects.toMatchObject({
    reason: "GitTimedOut",
  });
  await expect.poll(() => isThere("done")).toBe(true);
  await pass(gitLimits.quickMs);
  await late;
  expect(refs()).toBe(`refs/a ${one}`);
  // As if nothing had been done: git itself refuses.
  const repeated = await writer.transact([`update refs/a ${two} ${"0".repeat(40)}`]);
  expect(repeated.stderr).toContain("already exists");
});

test("what can't be started says so", async () => {
  const { folder } = repository();
  const writer = new RefWriter({ file: join(folder, "no-git"), args: [], env: {}, cwd: folder });
  await expect(writer.transact([])).rejects.toThrow("Cannot start");
  await expect(writer.transact([])).rejects.toThrow("Cannot start");
});

test("a transaction whose operator is killed before its last word is none, and leaves no lock", () => {
  const { folder, git, one, refs } = repository();
  const whole = transaction([`update refs/a ${one}`]);
  for (let length = 0; length < whole.length - 1; length += 7) {
    try {
      git(["update-ref", "--stdin"], whole.slice(0, length));
    } catch {
      // It may say what is wrong with half a line.
    }
    expect([refs(), existsSync(join(folder, "refs/a.lock"))], whole.slice(0, length)).toEqual(["", false]);
  }
});

test("a writer that is ended makes what it was asked for, and waits until its process is gone", async () => {
  const { folder, one, writer, refs, pids } = repository(
    'echo $$ >>pids; git "$@"; touch told; while [ ! -e go ]; do sleep 0.02; done',
  );
  const made = writer.transact([`update refs/a ${one}`]);
  const ended = writer.end();
  expect(await made).toMatchObject({ exitCode: 0 });
  await expect.poll(() => existsSync(join(folder, "told"))).toBe(true);
  writeFileSync(join(folder, "go"), "");
  await ended;
  expect(pids().map((pid) => startTimeNow(pid))).toEqual([undefined]);
  expect(refs()).toBe(`refs/a ${one}`);
});
