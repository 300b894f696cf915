import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Git } from "./git.ts";
import { isComplete } from "./is-complete.ts";

test("a history is complete unless any object that it has and its base has not is missing, as git says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bosun-complete-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@b", ...args], {
      cwd: folder,
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  const commit = (files: Readonly<Record<string, string>>): string => {
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
    git("add", "-A");
    git("commit", "--quiet", "-m", "Change");
    return git("rev-parse", "HEAD");
  };
  git("init", "--quiet", "--initial-branch=main");
  mkdirSync(join(folder, "src/deep"), { recursive: true });
  const base = commit({ a: "a\n", "src/b": "b\n", "src/deep/c": "c\n" });
  git("checkout", "--quiet", "-b", "side");
  commit({ "src/side": "side\n" });
  git("checkout", "--quiet", "main");
  commit({ a: "changed\n" });
  git("merge", "--quiet", "-m", "Merge", "side");
  git("update-index", "--add", "--cacheinfo", `160000,${base.replace(/^./, "0")},elsewhere`);
  mkdirSync(join(folder, "elsewhere"));
  // The blob of a file that was there before comes back under another name.
  const head = commit({ "src/deep/c": "changed too\n", again: "b\n" });

  const place = { gitDirectory: join(folder, ".git") };
  const reader = new Git().reader(place);
  const check = (): Promise<boolean> => isComplete(reader, base, head);
  expect(await check()).toBe(true);
  const objects = git("rev-list", "--objects", head, "--not", base).split("\n");
  expect(objects.length).toBeGreaterThan(12);
  for (const line of objects) {
    const id = line.slice(0, 40);
    const file = join(place.gitDirectory, "objects", id.slice(0, 2), id.slice(2));
    renameSync(file, `${file}.away`);
    expect(await check(), line).toBe(false);
    expect(() => git("rev-list", "--objects", "--quiet", head, "--not", base), line).toThrow();
    renameSync(`${file}.away`, file);
  }
});
