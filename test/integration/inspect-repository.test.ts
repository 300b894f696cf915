import { appendFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { inspectRepository } from "../../pkg/git/inspect.ts";
import { commit, git, openRealWorld, type RealWorld } from "./repository-world.ts";

let world: RealWorld | undefined;
afterEach(async () => {
  await world?.remove();
});

const cases: readonly { name: string; spoil: (path: string) => Promise<unknown>; want: readonly string[] }[] =
  [
    { name: "nothing is wrong", spoil: async () => undefined, want: [] },
    {
      name: "HEAD is detached",
      spoil: (path) => git(path, "checkout", "-q", "--detach"),
      want: ["DetachedHead"],
    },
    {
      name: "a branch is called agent-1",
      spoil: (path) => git(path, "branch", "agent-1"),
      want: ["BlockedBranch"],
    },
    {
      name: "the clone is shallow",
      spoil: async (path) =>
        writeFile(join(path, ".git/shallow"), `${await git(path, "rev-parse", "HEAD")}\n`),
      want: ["Shallow"],
    },
    {
      name: "the clone is partial",
      spoil: (path) => git(path, "config", "remote.origin.promisor", "true"),
      want: ["Partial"],
    },
    {
      name: "files are in LFS",
      spoil: (path) => commit(path, { "media/.gitattributes": "*.psd filter=lfs diff=lfs\n" }),
      want: ["LargeFiles"],
    },
    {
      name: "files are encrypted by git-crypt, with a key of its own",
      spoil: (path) =>
        commit(path, { ".gitattributes": "secrets/* filter=git-crypt-team diff=git-crypt-team\n" }),
      want: ["Encrypted"],
    },
    {
      name: "files pass a filter",
      spoil: async (path) => {
        await git(path, "config", "filter.strip.clean", "strip-output");
        await commit(path, { "notebooks/.gitattributes": "*.ipynb  filter=strip\n", "a.ipynb": "{}\n" });
      },
      want: ["Filters"],
    },
    {
      name: "files would pass filters that nobody has set up, or that a comment names",
      spoil: (path) => commit(path, { ".gitattributes": "# *.psd filter=lfs\n*.ipynb filter=strip\n" }),
      want: [],
    },
    {
      name: "there is a submodule",
      spoil: async (path) => {
        const head = await git(path, "rev-parse", "HEAD");
        await git(path, "update-index", "--add", "--cacheinfo", `160000,${head},lib`);
        await git(path, "commit", "--quiet", "-m", "Add lib");
      },
      want: ["Submodules"],
    },
    {
      name: "git can't read its configuration, so that nobody knows whether the clone is partial",
      spoil: (path) => appendFile(join(path, ".git/config"), "[remote\n"),
      want: ["Unreadable"],
    },
    {
      name: "there is no commit",
      spoil: (path) => git(path, "update-ref", "-d", "refs/heads/main"),
      want: ["NoCommit"],
    },
  ];

for (const { name, spoil, want } of cases) {
  test(`a repository is inspected: ${name}`, async () => {
    world = await openRealWorld();
    await spoil(world.repositoryPath);
    const problems = await inspectRepository(world.repositoryPath);

    expect(problems.map(({ kind }) => kind)).toEqual(want);
    for (const { message, fix } of problems) expect(`${message} ${fix}`).not.toContain("undefined");
  });
}

test("the files of the target branch count, whatever is checked out, and of HEAD where there is no such branch", async () => {
  world = await openRealWorld();
  const { repositoryPath } = world;
  const inLfs = { ".gitattributes": "*.psd filter=lfs diff=lfs\n" };
  const kinds = async (targetBranch: string) =>
    (await inspectRepository(repositoryPath, { targetBranch })).map(({ kind }) => kind);
  await git(repositoryPath, "checkout", "--quiet", "-b", "art");
  await commit(repositoryPath, inLfs);

  expect(await kinds("main")).toEqual([]);
  for (const none of ["gone", "no..name", ""]) expect(await kinds(none)).toEqual(["LargeFiles"]);
  await git(repositoryPath, "checkout", "--quiet", "main");
  expect(await kinds("art")).toEqual(["LargeFiles"]);
  await git(repositoryPath, "checkout", "--quiet", "--orphan", "new");
  expect(await kinds("main")).toEqual([]);
});

test("a linked work tree whose repository was moved is named, with what helps", async () => {
  world = await openRealWorld();
  const linked = join(world.root, "linked");
  await git(world.repositoryPath, "worktree", "add", "--quiet", linked);
  const moved = join(world.root, "moved");
  await rename(world.repositoryPath, moved);

  expect(await inspectRepository(linked)).toMatchObject([
    { kind: "NotARepository", fix: expect.stringContaining("`git worktree repair` in it") },
  ]);
  await git(moved, "worktree", "repair", linked);
  expect(await inspectRepository(linked)).toEqual([]);
});

test("a folder without git is no repository", async () => {
  world = await openRealWorld();

  expect(await inspectRepository(world.root)).toMatchObject([{ kind: "NotARepository", severity: "error" }]);
});
