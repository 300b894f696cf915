import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Git } from "./git.ts";
import { isAncestor } from "./plan-merge.ts";

const [one, two] = ["1".repeat(40), "2".repeat(40)];

test.each([
  { when: "git says yes", exitCode: 0, stderr: "", want: true },
  { when: "git says no", exitCode: 1, stderr: "", want: false },
  {
    when: "a commit is not there",
    exitCode: 128,
    stderr: `fatal: Not a valid commit name ${one}\n`,
    want: false,
  },
  // A killed git once made a rewritten branch of it, which stops the queue for a person.
  { when: "git was killed", exitCode: 128, stderr: "", want: "GitFailed" },
])("whether a commit comes from another: $when", async ({ exitCode, stderr, want }) => {
  const gitDirectory = mkdtempSync(join(tmpdir(), "bosun-ancestor-"));
  onTestFinished(() => rmSync(gitDirectory, { recursive: true }));
  const git = new Git(async () => ({ exitCode, stdout: Buffer.alloc(0), stderr }));
  const answer = isAncestor(git, { gitDirectory }, one, two);
  if (typeof want === "string") await expect(answer).rejects.toMatchObject({ reason: want });
  else expect(await answer).toBe(want);
});
