import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { startTimeNow } from "../system/process-table.ts";
import { gitLimits } from "./limits.ts";
import { ObjectReader } from "./object-reader.ts";
import { passingLimits } from "./testing/passing-limits.ts";

function repository(): { git(...args: string[]): string; reader: ObjectReader; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "bosun-reader-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", folder, ...args], { encoding: "utf8" }).trimEnd();
  git("init", "--quiet", "--initial-branch=main");
  const reader = new ObjectReader({
    file: "git",
    args: ["cat-file", "--batch-command"],
    env: { PATH: process.env.PATH ?? "", GIT_DIR: join(folder, ".git") },
    cwd: folder,
  });
  return { git, reader, folder };
}

test("many questions at once each get their own answer, whatever the contents look like", async () => {
  const { git, reader, folder } = repository();
  const texts = [
    "",
    "\n",
    "a blob 3\n",
    `${"0".repeat(40)} blob 7\nmissing\n`,
    "x".repeat(300_000),
    "ä\0\r\n",
  ];
  const ids = texts.map((text, index) => {
    writeFileSync(join(folder, String(index)), text);
    return git("hash-object", "-w", String(index));
  });
  const answers = await Promise.all(
    ids.flatMap((id) => [reader.object(id), reader.id(id), reader.object("f".repeat(40))]),
  );
  for (const [index, id] of ids.entries()) {
    const [object, known, absent] = answers.slice(3 * index);
    expect(object).toMatchObject({ id, type: "blob" });
    expect((object as { content: Buffer }).content.toString("utf8")).toBe(texts[index]);
    expect(known).toBe(id);
    expect(absent).toBeUndefined();
  }
});

test("a process that had nothing to do for a while is not ended while it is asked", async () => {
  const { folder } = repository();
  const id = "1".repeat(40);
  const wait = 'case "$line" in *slow*) while [ ! -e go ]; do sleep 0.02; done;; esac';
  const script = `while read -r line; do ${wait}; echo "${id} blob 0"; done`;
  const env = { PATH: process.env.PATH ?? "" };
  const reader = new ObjectReader({ file: "sh", args: ["-c", script], env, cwd: folder });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  expect(await reader.id("quick")).toBe(id);
  const slow = reader.id("slow");
  vi.advanceTimersByTime(60_000);
  writeFileSync(join(folder, "go"), "");
  expect(await slow).toBe(id);
});

test("a ref that moves, appears, is packed or deleted while the process stays is seen as it is now", async () => {
  const { git, reader, folder } = repository();
  writeFileSync(join(folder, "a"), "a\n");
  const first = git("hash-object", "-w", "a");
  expect(await reader.id("refs/bosun/claims/p")).toBeUndefined();
  git("update-ref", "refs/bosun/claims/p", first);
  expect(await reader.id("refs/bosun/claims/p")).toBe(first);
  git("pack-refs", "--all");
  writeFileSync(join(folder, "a"), "b\n");
  const second = git("hash-object", "-w", "a");
  expect(await reader.id("refs/bosun/claims/p")).toBe(first);
  git("update-ref", "refs/bosun/claims/p", second);
  expect(await reader.id("refs/bosun/claims/p")).toBe(second);
  git("update-ref", "-d", "refs/bosun/claims/p");
  expect(await reader.id("refs/bosun/claims/p")).toBeUndefined();
});

test("what is not one word is not asked, and can't shift the answers to other questions", async () => {
  const { git, reader, folder } = repository();
  writeFileSync(join(folder, "a"), "a\n");
  const id = git("hash-object", "-w", "a");
  const answers = [reader.id(`${id}\n${id}`), reader.id(""), reader.id(`${id} x`), reader.id(id)];
  expect(await Promise.all(answers)).toEqual([undefined, undefined, undefined, id]);
});

test("a process that can't be started or dies says nothing, and the next question gets another one", async () => {
  const { git, folder } = repository();
  writeFileSync(join(folder, "a"), "a\n");
  const id = git("hash-object", "-w", "a");
  const env = { PATH: process.env.PATH ?? "", GIT_DIR: join(folder, ".git") };
  const missing = new ObjectReader({ file: join(folder, "no-git"), args: [], env, cwd: folder });
  expect(await missing.id(id)).toBeUndefined();

  // Answers one question, then dies with the second one open.
  const script = 'read line; echo "$line" | git cat-file --batch-command; read line';
  const dying = new ObjectReader({ file: "sh", args: ["-c", script], env, cwd: folder });
  expect(await Promise.all([dying.id(id), dying.id(id)])).toEqual([id, undefined]);
  expect(await dying.id(id)).toBe(id);
});

test("a process that falls silent says nothing and is ended, and the next question gets another one", async () => {
  const { git, folder } = repository();
  writeFileSync(join(folder, "a"), "a\n");
  const id = git("hash-object", "-w", "a");
  const env = { PATH: process.env.PATH ?? "", GIT_DIR: join(folder, ".git") };
  const script =
    "echo $$ >>pids; [ -e hung ] && exec git cat-file --batch-command; trap '' TERM; touch hung; exec sleep 1000";
  const reader = new ObjectReader({ file: "sh", args: ["-c", script], env, cwd: folder });
  const pass = passingLimits();
  const answers = Promise.all([reader.id(id), reader.object(id)]);
  await expect.poll(() => existsSync(join(folder, "hung"))).toBe(true);
  await pass(gitLimits.quickMs);
  expect(await answers).toEqual([undefined, undefined]);
  await pass(gitLimits.graceMs);
  expect(await reader.id(id)).toBe(id);
  const [hung = 0] = readFileSync(join(folder, "pids"), "utf8").trim().split("\n").map(Number);
  await expect.poll(() => startTimeNow(hung)).toBeUndefined();
});

test("a reader that is ended waits until its process is gone, also one that was told before, and the next question gets another", async () => {
  const { git, folder } = repository();
  writeFileSync(join(folder, "a"), "a\n");
  const id = git("hash-object", "-w", "a");
  const env = { PATH: process.env.PATH ?? "", GIT_DIR: join(folder, ".git") };
  // After the end of its input it goes on until it is let go.
  const script =
    "echo $$ >>pids; git cat-file --batch-command; touch told; while [ ! -e go ]; do sleep 0.02; done";
  const reader = new ObjectReader({ file: "sh", args: ["-c", script], env, cwd: folder });
  expect(await reader.id(id)).toBe(id);
  const ended = reader.end();
  await expect.poll(() => existsSync(join(folder, "told"))).toBe(true);
  const endedToo = reader.end();
  writeFileSync(join(folder, "go"), "");
  await Promise.race([ended, endedToo]);
  const pid = Number(readFileSync(join(folder, "pids"), "utf8"));
  expect(startTimeNow(pid)).toBeUndefined();
  await Promise.all([ended, endedToo]);
  expect(await reader.id(id)).toBe(id);
  await reader.end();
});

test("a reader that is ended answers the question that is open", async () => {
  const { git, reader, folder } = repository();
  writeFileSync(join(folder, "a"), "a\n");
  const id = git("hash-object", "-w", "a");
  const asked = reader.id(id);
  await reader.end();
  expect(await asked).toBe(id);
  await reader.end();
});
