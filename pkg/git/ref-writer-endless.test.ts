import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { gitLimits } from "./limits.ts";
import { RefWriter } from "./ref-writer.ts";
import { passingLimits } from "./testing/passing-limits.ts";

/** As of a git that waits for a disk which does not answer: no signal ends it. */
vi.mock("./end-late.ts", () => ({ endLate: async () => false }));

test("a git that no signal ends is named, and the next transaction is another's", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bosun-writer-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const git = (args: readonly string[], input = ""): string =>
    execFileSync("git", args, { cwd: folder, encoding: "utf8", input, stdio: "pipe" }).trim();
  git(["init", "--quiet", "--bare", "."]);
  const blob = git(["hash-object", "-w", "--stdin"], "text");
  const script = "[ -e pid ] && exec git update-ref --stdin; echo $$ >pid; touch hung; exec sleep 1000";
  const env = { PATH: process.env.PATH ?? "", GIT_DIR: folder };
  const writer = new RefWriter({ file: "sh", args: ["-c", script], env, cwd: folder });

  const pass = passingLimits();
  const late = writer.transact([`update refs/a ${blob}`]).catch((thrown: unknown) => thrown);
  await expect.poll(() => existsSync(join(folder, "hung"))).toBe(true);
  await pass(gitLimits.quickMs);
  const error = await late;
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  onTestFinished(() => void process.kill(pid, "SIGKILL"));
  expect(error).toMatchObject({
    reason: "GitTimedOut",
    message: expect.stringContaining(`goes on as process ${pid}`),
  });
  expect(await writer.transact([`update refs/a ${blob}`])).toMatchObject({ exitCode: 0 });
  expect(git(["for-each-ref", "--format=%(objectname)"])).toBe(blob);
});
