import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Git } from "./git.ts";
import { holdersOf } from "./worktrees.ts";

/** What git notes of a rebase by either of its ways, and of a bisect; and the branch as each of them names it. */
const notes = [
  { file: "rebase-merge/head-name", name: "refs/heads/main" },
  { file: "rebase-apply/head-name", name: "refs/heads/main" },
  { file: "BISECT_START", name: "main" },
];
const places = notes.flatMap((note) => ["", "worktrees/aside/"].map((place) => ({ ...note, place })));

test.each(places)(
  "a branch is held where $file says that it is come back to, in the git directory '$place'",
  async ({ file, name, place }) => {
    const gitDirectory = mkdtempSync(join(tmpdir(), "bosun-holders-"));
    onTestFinished(() => rmSync(gitDirectory, { recursive: true }));
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(gitDirectory, path)), { recursive: true });
      writeFileSync(join(gitDirectory, path), `${text}\n`);
    };
    write("HEAD", "1".repeat(40));
    write("worktrees/aside/HEAD", "1".repeat(40));
    write(`${place}${file}`, name);
    const git = new Git();
    const busy = { path: join(gitDirectory, place.replace(/\/$/, "")), how: "busy" };
    expect(await holdersOf(git, { gitDirectory }, "refs/heads/main")).toEqual([busy]);
    expect(await holdersOf(git, { gitDirectory }, "refs/heads/other")).toEqual([]);
  },
);
