import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Git, GitPlace } from "./git.ts";

export interface Holder {
  /** Path of the work tree. */
  path: string;
  /** `busy`: a rebase or bisect goes on there that will come back to the branch. */
  how: "out" | "busy";
}

/** The person's work trees that have `ref` out, or will when their rebase or bisect ends. */
export async function holdersOf(git: Git, repository: GitPlace, ref: string): Promise<readonly Holder[]> {
  const listed = await git.text(repository, ["worktree", "list", "--porcelain", "-z"]);
  const holders: Holder[] = [];
  for (const record of listed.split("\0\0")) {
    const fields = record.split("\0").filter((field) => field !== "");
    const path = fields.find((field) => field.startsWith("worktree "))?.slice("worktree ".length);
    if (path !== undefined && fields.includes(`branch ${ref}`)) holders.push({ path, how: "out" });
  }
  const linked = join(repository.gitDirectory, "worktrees");
  const names = existsSync(linked) ? readdirSync(linked).map((name) => join(linked, name)) : [];
  for (const directory of [repository.gitDirectory, ...names]) {
    if (returnsTo(directory, ref)) holders.push({ path: directory, how: "busy" });
  }
  return holders;
}

function returnsTo(gitDirectory: string, ref: string): boolean {
  const short = ref.replace(/^refs\/heads\//, "");
  return ["rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"].some((file) => {
    const path = join(gitDirectory, file);
    if (!existsSync(path)) return false;
    const name = readFileSync(path, "utf8").trim();
    return name === ref || name === short;
  });
}
