/** What is a person's own in a repository, so that two moments can be compared byte for byte. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";

export interface Checkout {
  head: string;
  /** The branches that are a person's, with their commits. */
  branches: readonly string[];
  /** What git says of index and work tree. */
  status: string;
  /** Mode and hash of each file, by its path; declared YAML too. */
  files: Readonly<Record<string, string>>;
}

/** The person's branches, index and files in `repository`. What Bosun keeps there is not among them. */
export function checkoutOf(repository: string): Checkout {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", repository, "--no-optional-locks", ...args], { encoding: "utf8" });
  return {
    head: git("symbolic-ref", "HEAD"),
    branches: git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")
      .split("\n")
      .filter((line) => line !== "" && !/^refs\/heads\/(rehearsal|agent-\d+)\//.test(line)),
    status: git("status", "--porcelain=v2", "--untracked-files=all"),
    files: Object.fromEntries(filesIn(repository, "")),
  };
}

function filesIn(root: string, folder: string): [string, string][] {
  return readdirSync(path.join(root, folder)).flatMap((name): [string, string][] => {
    const relative = path.join(folder, name);
    if (name === ".git" || name === ".bosun" || isSessionFile(name)) return [];
    const file = path.join(root, relative);
    const { mode } = lstatSync(file);
    if (lstatSync(file).isDirectory()) return filesIn(root, relative);
    const content = lstatSync(file).isSymbolicLink() ? readlinkSync(file) : readFileSync(file);
    return [[relative, `${mode.toString(8)} ${createHash("sha256").update(content).digest("hex")}`]];
  });
}

/** An agent's, or what it is replaced by at this moment. */
function isSessionFile(name: string): boolean {
  return /^(\.bosun-tmp-.*)?agent-\d+\.session$/.test(name);
}
