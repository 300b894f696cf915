import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { shellWord } from "../system/shell-word.ts";
import type { Git, GitPlace } from "./git.ts";

export interface Holder {
  /** Path of the work tree. */
  path: string;
  /**
   * `busy`: a rebase or bisect goes on there that will come back to the branch. `gone`: it has the branch out, and was removed
   * by hand or is on a disk that is away.
   */
  how: "out" | "busy" | "gone";
}

/** The person's work trees that have `ref` out, or will when their rebase or bisect ends. */
export async function holdersOf(git: Git, repository: GitPlace, ref: string): Promise<readonly Holder[]> {
  const linked = join(repository.gitDirectory, "worktrees");
  const names = existsSync(linked) ? readdirSync(linked).map((name) => join(linked, name)) : [];
  const directories = [repository.gitDirectory, ...names];
  const holders: Holder[] = [];
  const isOut = !directories.every((directory) => leads(directory, ref) === "elsewhere");
  const listed = isOut ? await git.text(repository, ["worktree", "list", "--porcelain", "-z"]) : "";
  // The main one comes first.
  for (const [place, record] of listed.split("\0\0").entries()) {
    const fields = record.split("\0").filter((field) => field !== "");
    const path = fields.find((field) => field.startsWith("worktree "))?.slice("worktree ".length);
    if (path === undefined || !fields.includes(`branch ${ref}`)) continue;
    if (place === 0) holders.push({ path: mainWorkTree(repository, path), how: "out" });
    else holders.push({ path, how: existsSync(join(path, ".git")) ? "out" : "gone" });
  }
  for (const directory of directories) {
    if (returnsTo(directory, ref)) holders.push({ path: directory, how: "busy" });
  }
  return holders;
}

/** How a person frees the branch that a work tree has out. A sentence. */
export function howToFree({ path, how }: Holder): string {
  return how === "gone"
    ? `That folder is gone: bring it back, or have git forget it: git worktree remove --force --force ${shellWord(path)}`
    : "Check out another branch there.";
}

/** Git takes a git directory that does not lie in its work tree (`git init --separate-git-dir`) for the work tree itself. */
function mainWorkTree({ gitDirectory, mainWorkTree: known }: GitPlace, listed: string): string {
  return known !== undefined && listed === gitDirectory ? known : listed;
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
