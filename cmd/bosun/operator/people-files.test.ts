import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { headOf } from "./people-files.ts";

test("a branch is switched where the files are: in a linked work tree its own HEAD counts, not the main one's", async () => {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "bosun-head-")));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [main, linked] = [path.join(folder, "main"), path.join(folder, "linked")];
  const git = (...args: string[]) => execFileSync("git", args, { stdio: "ignore" });
  git("init", "--quiet", "--initial-branch=main", main);
  const identity = ["-c", "user.name=Person", "-c", "user.email=person@example.invalid"];
  git("-C", main, ...identity, "commit", "--quiet", "--allow-empty", "--message=Begin");
  git("-C", main, "worktree", "add", "--quiet", "-b", "linked", linked);

  expect(await headOf(main)).toBe("ref: refs/heads/main");
  expect(await headOf(linked)).toBe("ref: refs/heads/linked");
  git("-C", linked, "switch", "--quiet", "--create", "other");
  expect(await headOf(linked)).toBe("ref: refs/heads/other");
});
