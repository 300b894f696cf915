import { lstat } from "node:fs/promises";
import type { Git } from "./git.ts";

/**
 * Something of the person's that git ignores and a fast-forward from HEAD to `commit` would write over, or take a folder
 * of away: for git it may be lost, and the merge would only refuse it after it has written ORIG_HEAD.
 *
 * @param options.path - the work tree
 * @param options.env - with a copy of its index
 * @returns the path that `commit` adds; undefined when nothing is in the way, or git can't tell
 */
export async function ignoredInTheWay(
  git: Git,
  { path, commit, env }: { path: string; commit: string; env: Record<string, string> },
): Promise<string | undefined> {
  const list = async (...args: readonly string[]): Promise<readonly string[]> => {
    const { exitCode, stdout } = await git.inUserCheckout(path, args, env);
    // Byte by byte: a name need not be UTF-8.
    return exitCode === 0 ? stdout.toString("latin1").split("\0").filter(Boolean) : [];
  };
  const added = await list(
    "diff-tree",
    "-r",
    "-z",
    "--no-renames",
    "--name-only",
    "--diff-filter=A",
    "HEAD",
    commit,
  );
  if (added.length === 0) return undefined;
  const others = ["--others", "--ignored", "--exclude-standard", "--directory", "--no-empty-directory"];
  // A folder that is ignored as a whole is one entry, with a slash at its end.
  const ignored = new Set(await list("ls-files", "-z", ...others));
  const holding = new Set([...ignored].flatMap(foldersOf));
  for (const name of added) {
    const folders = foldersOf(name);
    const isInTheWay =
      ignored.has(name) ||
      ignored.has(`${name}/`) ||
      holding.has(name) ||
      folders.some((folder) => ignored.has(folder)) ||
      (folders.some((folder) => ignored.has(`${folder}/`)) && (await isThere(path, name)));
    if (isInTheWay) return Buffer.from(name, "latin1").toString("utf8");
  }
  return undefined;
}

/** `a` and `a/b` of `a/b/c` and of `a/b/c/`. */
function foldersOf(name: string): readonly string[] {
  const parts = name.replace(/\/$/, "").split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Also where something else is there in place of a folder on the way. */
async function isThere(path: string, name: string): Promise<boolean> {
  try {
    await lstat(Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name, "latin1")]));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return false;
    if (code === "ENOTDIR") return true;
    throw error;
  }
}
