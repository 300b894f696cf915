import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { startTimeNow } from "../system/process-table.ts";
import { checkoutWrap } from "./checkout-git.ts";
import { Git } from "./git.ts";
import { gitLimits, limitOf } from "./limits.ts";
import { isAncestor } from "./plan-merge.ts";
import { runProcess } from "./process.ts";
import { changeRefs, readRef } from "./refs.ts";

/** A repository, and a `git` on PATH that hangs when a file `hang` lies beside it. */
function hanging() {
  const folder = mkdtempSync(join(tmpdir(), "bosun-late-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const real = execFileSync("which", ["git"], { encoding: "utf8" }).trim();
  const run = (args: readonly string[], input = ""): string =>
    execFileSync(real, args, { cwd: folder, encoding: "utf8", input, stdio: "pipe" }).trim();
  run(["init", "--quiet", "--bare", "repository"]);
  const place = { gitDirectory: join(folder, "repository") };
  const script = `#!/bin/sh\n[ -e '${folder}/hang' ] || exec '${real}' "$@"\necho $$ >>'${folder}/pids'\nexec sleep 1000\n`;
  writeFileSync(join(folder, "git"), script);
  chmodSync(join(folder, "git"), 0o755);
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const pids = join(folder, "pids");
  // On a starved machine one may be ended before it has come to anything.
  const living = (): number[] =>
    (existsSync(pids) ? readFileSync(pids, "utf8").trim().split("\n").map(Number) : []).filter(
      (pid) => startTimeNow(pid) !== undefined,
    );
  const limits = { ...gitLimits };
  const hang = join(folder, "hang");
  return {
    folder,
    place,
    blob: run(["--git-dir", place.gitDirectory, "hash-object", "-w", "--stdin"], "one"),
    git: new Git(runProcess, limits),
    living,
    set(hangs: boolean) {
      if (hangs) writeFileSync(hang, "");
      else rmSync(hang);
      Object.assign(limits, hangs ? { quickMs: 500, wholeMs: 500, graceMs: 1_000 } : gitLimits);
    },
  };
}

const timedOut = { name: "TransientError", reason: "GitTimedOut" };

test("while git hangs nothing is taken for absent, refused or done, all of it is ended, and afterwards all is as before", async () => {
  const { git, place, blob, living, set } = hanging();
  const ref = "refs/tags/one";
  const make = [{ do: "move", ref, from: undefined, to: blob }] as const;
  const claim = [{ do: "move", ref: "refs/bosun/claims/p", from: undefined, to: blob }] as const;
  await changeRefs(git, place, make, "test");

  set(true);
  const [other, another] = ["1".repeat(40), "2".repeat(40)];
  const answers = await Promise.allSettled([
    readRef(git, place, ref),
    changeRefs(git, place, [{ do: "move", ref, from: blob, to: undefined }], "test"),
    changeRefs(git, place, claim, "test"),
    isAncestor(git, place, other, another),
    git.text(place, ["status"]),
    git.inUserCheckout(place.gitDirectory, ["rev-parse", "HEAD"]),
  ]);
  for (const answer of answers) expect(answer).toMatchObject({ status: "rejected", reason: timedOut });
  await expect.poll(living).toEqual([]);

  set(false);
  expect(await readRef(git, place, ref)).toBe(blob);
  expect(await changeRefs(git, place, claim, "test")).toBe(true);
  expect(await readRef(git, place, "refs/bosun/claims/p")).toBe(blob);
});

test("what git has started is ended with it, in whatever it is wrapped", async () => {
  const { folder, git, place, living, set } = hanging();
  set(true);
  const where = { path: folder, gitDirectory: place.gitDirectory, sandbox: undefined };
  const wrap = checkoutWrap(where, false, ["read-tree", "HEAD"]);
  await expect(git.run(place, ["status"], {}, wrap)).rejects.toMatchObject(timedOut);
  // Killed, and on a starved machine not yet gone.
  await expect.poll(living).toEqual([]);
});

test("a fast-forward of a person's files is not cut off in the middle: the error names the process that goes on", async () => {
  const { folder, git, set } = hanging();
  set(true);
  const error = await git
    .inUserCheckout(folder, ["merge", "--ff-only", "x"])
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject(timedOut);
  const pid = Number(/goes on as process (\d+)/.exec((error as Error).message)?.[1]);
  expect(startTimeNow(pid)).toBeDefined();
  process.kill(pid, "SIGKILL");
});

test.each([
  [["-c", "core.hooksPath=/dev/null", "update-ref", "--stdin"], "quickMs"],
  [["rev-parse", "HEAD"], "quickMs"],
  [["for-each-ref", "--format=%(refname)", "refs/heads/main"], "quickMs"],
  [["for-each-ref", "--format=%(refname)", "--contains", "HEAD"], "wholeMs"],
  [["checkout", "--quiet", "HEAD"], "wholeMs"],
  [["index-pack", "--stdin"], "wholeMs"],
  [[], "wholeMs"],
] as const)("git %j is waited for as long as %s says", (args, limit) => {
  expect(limitOf(args, gitLimits)).toBe(gitLimits[limit]);
});
