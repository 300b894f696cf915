import { randomUUID } from "node:crypto";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Git } from "./git.ts";

/**
 * Fast-forwards the branch that a work tree of the person has out, if git finds it safe.
 *
 * Tried on a copy of the index first: `git merge` writes ORIG_HEAD even when it refuses, and that is the person's.
 *
 * @param options.temporary - folder for the copy
 * @returns what git said when it refused; undefined when it merged
 */
export async function fastForward(
  git: Git,
  { path, commit, temporary }: { path: string; commit: string; temporary: string },
): Promise<string | undefined> {
  const located = await git.inUserCheckout(path, ["rev-parse", "--git-path", "index"]);
  if (located.exitCode !== 0) return shortened(located.stderr);
  await mkdir(temporary, { recursive: true });
  const copy = join(temporary, `${randomUUID()}.index`);
  try {
    await copyFile(resolve(path, located.stdout.toString("utf8").trim()), copy);
    const env = { GIT_INDEX_FILE: copy };
    await git.inUserCheckout(path, ["update-index", "-q", "--refresh"], env);
    const tried = await git.inUserCheckout(path, ["read-tree", "-n", "-u", "-m", "HEAD", commit], env);
    if (tried.exitCode !== 0) return shortened(tried.stderr);
  } finally {
    await rm(copy, { force: true });
  }
  const merge = await git.inUserCheckout(path, ["merge", "--ff-only", "--no-stat", "--quiet", commit]);
  return merge.exitCode === 0 ? undefined : shortened(merge.stderr);
}

function shortened(said: string): string {
  return said.trim().replaceAll(/\s+/g, " ").slice(0, 500);
}
