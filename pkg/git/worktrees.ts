import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
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
  const linked = join(repository.gitDirectory, "worktrees");
  const names = existsSync(linked) ? readdirSync(linked).map((name) => join(linked, name)) : [];
  const directories = [repository.gitDirectory, ...names];
  const holders: Holder[] = [];
  const isOut = !directories.every((directory) => leads(directory, ref) === "elsewhere");
  const listed = isOut ? await git.text(repository, ["worktree", "list", "--porcelain", "-z"]) : "";
  for (const record of listed.split("\0\0")) {
    const fields = record.split("\0").filter((field) => field !== "");
    const path = fields.find((field) => field.startsWith("worktree "))?.slice("worktree ".length);
    if (path !== undefined && fields.includes(`branch ${ref}`)) holders.push({ path, how: "out" });
  }
  for (const directory of directories) {
    if (returnsTo(directory, ref)) holders.push({ path: directory, how: "busy" });
  }
  return holders;
}

/** Where HEAD of a git directory leads. Only `elsewhere` is certain; git says where a work tree lies, and knows other formats. */
function leads(gitDirectory: string, ref: string): "elsewhere" | "perhaps there" {
  if (existsSync(join(gitDirectory, "reftable"))) return "perhaps there";
  const head = join(gitDirectory, "HEAD");
  try {
    if (!lstatSync(head).isFile()) return "perhaps there";
    const text = readFileSync(head, "utf8").trim();
    const isKnown = /^(?:[0-9a-f]{40}|ref: *refs\/\S+)$/.test(text);
    return isKnown && text.replace(/^ref: */, "") !== ref ? "elsewhere" : "perhaps there";
  } catch {
    // No HEAD, or none to be read: git says what that means.
    return "perhaps there";
  }
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
