/** The person's branch follows the queue in whatever work tree has it out, or git says why it can't and nothing is touched. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type OpenRepositoryOptions, openRepository } from "../../pkg/git/open.ts";
import { runProcess } from "../../pkg/git/process.ts";
import type { Repository } from "../../pkg/git/repository.ts";
import { systemClock } from "../../pkg/system/system.ts";
import { commit, everyByte, git, openRealWorld, type RealWorld, write } from "./repository-world.ts";

async function open(options: Partial<OpenRepositoryOptions> = {}): Promise<RealWorld> {
  const world = await openRealWorld(options);
  onTestFinished(() => world.remove());
  return world;
}

/** Has the queue be a commit ahead of `main`, which the person's work tree has out. */
async function mergeOne(
  { repositoryPath }: RealWorld,
  repository: Repository,
  files: Readonly<Record<string, string>> = { "new.txt": "new\n" },
): Promise<string> {
  const target = await repository.target();
  if (target.is !== "present") throw new Error("The target is gone.");
  await git(repositoryPath, "checkout", "--quiet", "--detach");
  const merged = await commit(repositoryPath, files);
  await git(repositoryPath, "checkout", "--quiet", "main");
  await repository.swapTarget(target.value, merged);
  return merged;
}

test.each(["--squash", "--no-commit --no-ff", "--strategy=ours --autostash"])(
  "a branch into which the person has every merge be one with %s is fast-forwarded all the same",
  async (options) => {
    const world = await open();
    const merged = await mergeOne(world, world.repository);
    await git(world.repositoryPath, "config", "branch.main.mergeOptions", options);

    expect(await world.repository.syncTarget()).toEqual({ is: "inSync", commit: merged });
    expect(await git(world.repositoryPath, "status", "--porcelain")).toBe("");
  },
);

test.each(["HEAD", "refs/heads/main", "index"])(
  "while %s is locked the person's files and index stay as they are, to the byte; they follow once it is not",
  async (name) => {
    const world = await open();
    const merged = await mergeOne(world, world.repository, { "notes.txt": "merged\n", "new.txt": "new\n" });
    const lock = join(world.repositoryPath, ".git", `${name}.lock`);
    await writeFile(lock, "");
    const before = await everyByte(world.repositoryPath);

    expect(await world.repository.syncTarget()).toMatchObject({
      ...{ is: "behind", commit: merged, reason: "CheckoutDirty" },
      message: expect.stringContaining(`${name}.lock`),
    });
    expect(await everyByte(world.repositoryPath)).toEqual(before);
    await rm(lock);
    expect(await world.repository.syncTarget()).toEqual({ is: "inSync", commit: merged });
  },
);

/** What the person has git ignore, and what a merge adds in its place; whether both fit. */
const ignored: readonly { name: string; exclude: string; mine: string; added: string; fits: boolean }[] = [
  { name: "a file", exclude: ".env", mine: ".env", added: ".env", fits: false },
  { name: "a file of another name", exclude: "*.env", mine: "mine.env", added: "your.env", fits: true },
  { name: "a file in a folder", exclude: "out/", mine: "out/a.txt", added: "out/a.txt", fits: false },
  {
    name: "a file beside it in a folder",
    exclude: "out/",
    mine: "out/a.txt",
    added: "out/b/c.txt",
    fits: true,
  },
  { name: "a file for its folder", exclude: "out/", mine: "out/a.txt", added: "out", fits: false },
  { name: "a file for a folder of it", exclude: "*.log", mine: "out/deep/a.log", added: "out", fits: false },
  { name: "a folder for it", exclude: "out", mine: "out", added: "out/a.txt", fits: false },
  {
    name: "a folder for a file in a folder",
    exclude: "out/",
    mine: "out/a",
    added: "out/a/b.txt",
    fits: false,
  },
  {
    name: "a name beyond ASCII",
    exclude: "*.txt",
    mine: "caf\u00e9.txt",
    added: "caf\u00e9.txt",
    fits: false,
  },
];

test.each(ignored)(
  "what git ignores in the person's work tree is never written over: $name is merged",
  async ({ exclude, mine, added, fits }) => {
    const world = await open();
    const { repositoryPath, repository } = world;
    const merged = await mergeOne(world, repository, { [added]: "merged\n" });
    await write(repositoryPath, { [mine]: "mine\n", ".git/info/exclude": `${exclude}\n` });
    const before = await everyByte(repositoryPath);

    const sync = await repository.syncTarget();
    expect(await readFile(join(repositoryPath, mine), "utf8")).toBe("mine\n");
    if (fits) expect(sync).toEqual({ is: "inSync", commit: merged });
    else {
      expect(sync).toMatchObject({
        is: "behind",
        reason: "CheckoutDirty",
        message: expect.stringContaining(added),
      });
      expect(await everyByte(repositoryPath)).toEqual(before);
      await rm(join(repositoryPath, mine));
      expect(await repository.syncTarget()).toEqual({ is: "inSync", commit: merged });
    }
  },
);

test("a work tree whose git directory lies elsewhere follows", async () => {
  const world = await open();
  const { repositoryPath, stateDirectory, root } = world;
  await git(repositoryPath, "init", "--quiet", `--separate-git-dir=${join(root, "elsewhere")}`);
  const repository = await openRepository({
    ...{ repositoryPath, stateDirectory, targetBranch: "main", mode: "real" },
    ...{ clock: systemClock, sandbox: "off" },
  });
  const merged = await mergeOne(world, repository);

  expect(await repository.syncTarget()).toEqual({ is: "inSync", commit: merged });
  expect(await git(repositoryPath, "status", "--porcelain")).toBe("");
  expect(await readFile(join(repositoryPath, "new.txt"), "utf8")).toBe("new\n");
});

test("a branch that is out in a work tree which is gone stays, as that may come back, and it is said how to have git forget it", async () => {
  const world = await open();
  const { repositoryPath, repository, root } = world;
  const merged = await mergeOne(world, repository);
  const before = await world.branch("main");
  await git(repositoryPath, "checkout", "--quiet", "-b", "mine");
  const away = join(root, "a disk");
  await git(repositoryPath, "worktree", "add", "--quiet", "--lock", away, "main");
  await rm(away, { recursive: true });

  const behind = await repository.syncTarget();
  expect(behind).toMatchObject({ is: "behind", commit: merged, reason: "CheckoutDirty" });
  expect(await world.branch("main")).toBe(before);
  const said = "message" in behind ? behind.message : "";
  execFileSync("sh", ["-c", said.slice(said.indexOf("git worktree remove"))], { cwd: repositoryPath });
  expect(await repository.syncTarget()).toEqual({ is: "inSync", commit: merged });
});

test("the repository around a work tree that has lost its `.git` does not follow in its place", async () => {
  const world = await open();
  const { repositoryPath, repository } = world;
  const merged = await mergeOne(world, repository);
  await git(repositoryPath, "checkout", "--quiet", "-b", "mine");
  await git(repositoryPath, "worktree", "add", "--quiet", "inner", "main");
  await rm(join(repositoryPath, "inner", ".git"));
  const before = await world.branch("mine");

  expect(await repository.syncTarget()).toMatchObject({ is: "behind", commit: merged });
  expect(await world.branch("mine")).toBe(before);
  expect(existsSync(join(repositoryPath, "new.txt"))).toBe(false);
});

test("a branch that the person checks out while another was to follow there does not follow in its place", async () => {
  let isToSwitch = false;
  const world = await open({
    async runGit(request) {
      const answer = await runProcess(request);
      // Where the branch is out is the last that is asked elsewhere than there.
      if (request.args.includes("worktree") && isToSwitch) {
        isToSwitch = false;
        await git(world.repositoryPath, "checkout", "--quiet", "-b", "mine");
      }
      return answer;
    },
  });
  const merged = await mergeOne(world, world.repository);
  isToSwitch = true;

  expect(await world.repository.syncTarget()).toMatchObject({ is: "behind", commit: merged });
  expect(await world.branch("mine")).toBe(await world.branch("main"));
  expect(await world.repository.syncTarget()).toEqual({ is: "inSync", commit: merged });
  expect(await world.branch("mine")).not.toBe(merged);
});
