import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Git } from "./git.ts";
import { ignoredInTheWay } from "./ignored-in-the-way.ts";

export interface FastForward {
  /** The work tree. */
  path: string;
  /** The branch that it has out, a full ref. */
  ref: string;
  commit: string;
  /** Folder for a copy of the index. */
  temporary: string;
}

/**
 * Fast-forwards the branch that a work tree of the person has out, if git finds it safe.
 *
 * All that could stop it halfway is tried first: the files on a copy of the index, since `git merge` writes ORIG_HEAD even
 * when it refuses, and that is the person's; then the locks of the branch, which it would miss only when all files and
 * the index are those of `commit`.
 *
 * @returns what git said when it refused; undefined when it merged
 */
export async function fastForward(git: Git, fast: FastForward): Promise<string | undefined> {
  const { path, ref, commit } = fast;
  const env = environmentOf(fast);
  const located = await git.inUserCheckout(
    path,
    ["rev-parse", "--git-path", "index", "--symbolic-full-name", "HEAD"],
    env,
  );
  if (located.exitCode !== 0) return shortened(located.stderr);
  const [indexPath = "", head] = located.stdout.toString("utf8").trim().split("\n");
  if (head !== ref) return "another branch was checked out there meanwhile";
  const index = resolve(path, indexPath);
  if (existsSync(`${index}.lock`))
    return `${index}.lock is there: a git is at work, or was killed. If none runs, delete that file`;
  const refused = (await refusedFiles(git, fast, { index, env })) ?? (await refusedRef(git, fast, env));
  if (refused !== undefined) return refused;
  const how = ["--ff-only", "--no-overwrite-ignore", "--no-stat", "--quiet"];
  const merge = await git.inUserCheckout(path, ["merge", ...how, commit], env);
  return merge.exitCode === 0 ? undefined : shortened(merge.stderr);
}

async function refusedFiles(
  git: Git,
  { path, commit, temporary }: FastForward,
  { index, env }: { index: string; env: Record<string, string> },
): Promise<string | undefined> {
  await mkdir(temporary, { recursive: true });
  const copy = join(temporary, `${randomUUID()}.index`);
  try {
    await copyFile(index, copy);
    const onCopy = { ...env, GIT_INDEX_FILE: copy };
    await git.inUserCheckout(path, ["update-index", "-q", "--refresh"], onCopy);
    const tried = await git.inUserCheckout(path, ["read-tree", "-n", "-u", "-m", "HEAD", commit], onCopy);
    if (tried.exitCode !== 0) return shortened(tried.stderr);
    const lost = await ignoredInTheWay(git, { path, commit, env: onCopy });
    return lost === undefined
      ? undefined
      : `${lost} would be written over what git ignores there; move that away`;
  } finally {
    await rm(copy, { force: true });
  }
}

async function refusedRef(
  git: Git,
  { path, commit }: FastForward,
  env: Record<string, string>,
): Promise<string | undefined> {
  const stdin = `start\nupdate HEAD ${commit}\nprepare\nabort\n`;
  const tried = await git.inUserCheckout(path, ["update-ref", "--stdin"], env, stdin);
  return tried.exitCode === 0 ? undefined : shortened(tried.stderr);
}

/** Git in this work tree and in none around it, without what the person has every merge into the branch do (a squash). */
function environmentOf({ path, ref }: FastForward): Record<string, string> {
  return {
    GIT_CEILING_DIRECTORIES: dirname(path),
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `branch.${ref.replace(/^refs\/heads\//, "")}.mergeOptions`,
    GIT_CONFIG_VALUE_0: "",
  };
}

function shortened(said: string): string {
  return said.trim().replaceAll(/\s+/g, " ").slice(0, 500);
}
