import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { commonGitDirectory } from "../sandbox/places.ts";
import { type Git, gitBy } from "./git.ts";
import type { RunProcess } from "./process.ts";

/** Something about a repository that Bosun cannot work with, or not safely. */
export interface RepositoryProblem {
  kind:
    | "NotARepository"
    | "GitTooOld"
    | "NoCommit"
    | "DetachedHead"
    | "Submodules"
    | "LargeFiles"
    | "Shallow"
    | "Partial"
    | "ObjectFormat"
    | "BlockedBranch"
    | "NetworkFileSystem";
  /** `error`: `up` refuses. `warning`: it works, with the drawback named. */
  severity: "error" | "warning";
  message: string;
  /** What to do, a sentence. */
  fix: string;
}

const oldestGit = [2, 38] as const;

/** `f_type` of statfs(2): NFS, SMB, SMB2, CIFS, 9p (Windows' disks under WSL2), FUSE. */
const networkFileSystems = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB2"],
  [0xff534d42, "CIFS"],
  [0x01021997, "9p"],
  [0x65735546, "FUSE"],
]);

/** What in a repository stands in Bosun's way, each with what to do; empty when nothing does. */
export async function inspectRepository(
  repositoryPath: string,
  runGit?: RunProcess,
): Promise<readonly RepositoryProblem[]> {
  const git = gitBy(runGit);
  const gitDirectory = commonGitDirectory(repositoryPath);
  if (!existsSync(join(gitDirectory, "objects"))) {
    return [
      {
        kind: "NotARepository",
        severity: "error",
        message: `${repositoryPath} is not the top of a git work tree.`,
        fix: "Run Bosun where `.git` is, or `git init` and commit first.",
      },
    ];
  }
  const place = { gitDirectory };
  const ask = async (...args: readonly string[]): Promise<string | undefined> => {
    const output = await git.run(place, args);
    return output.exitCode === 0 ? output.stdout.toString("utf8").trim() : undefined;
  };
  const problems: RepositoryProblem[] = [];

  // Asked at the same time, since whoever starts waits for the answers: each is a process of git.
  const [version = "", head, branch, filters, format, agentBranches] = await Promise.all([
    ask("--version"),
    git.inUserCheckout(repositoryPath, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]),
    git.inUserCheckout(repositoryPath, ["symbolic-ref", "--quiet", "HEAD"]),
    ask("config", "--get-regexp", "^remote\\..*\\.(promisor|partialclonefilter)$"),
    ask("rev-parse", "--show-object-format"),
    ask("for-each-ref", "--format=%(refname:short)", "refs/heads/agent-*"),
  ]);
  if (!isNewEnough(version)) {
    problems.push({
      kind: "GitTooOld",
      severity: "error",
      message: `This is ${version || "no git"}; merging without a checkout needs git ${oldestGit.join(".")}.`,
      fix: "Install a newer git.",
    });
    return problems;
  }
  if (head.exitCode !== 0) {
    problems.push({
      kind: "NoCommit",
      severity: "error",
      message: "The repository has no commit, so there is nothing to start work from.",
      fix: "Make a first commit.",
    });
    return problems;
  }
  if (branch.exitCode !== 0) {
    problems.push({
      kind: "DetachedHead",
      severity: "warning",
      message: "HEAD is detached, so the target branch cannot be taken from it.",
      fix: "Check out a branch, or name the target branch in the Workspace.",
    });
  }
  const files = (await ask("ls-tree", "-r", head.stdout.toString("utf8").trim())) ?? "";
  if (/^160000 /m.test(files)) {
    problems.push({
      kind: "Submodules",
      severity: "error",
      message: "The repository has submodules; checkouts would miss their content.",
      fix: "Vendor them, or work on a branch without them.",
    });
  }
  if (await usesLargeFiles(git, place, files)) {
    problems.push({
      kind: "LargeFiles",
      severity: "error",
      message:
        "The repository uses Git LFS; checkouts run no filters and would hold pointers instead of files.",
      fix: "Move the files out of LFS (`git lfs migrate export`).",
    });
  }
  if (existsSync(join(gitDirectory, "shallow"))) {
    problems.push({
      kind: "Shallow",
      severity: "error",
      message: "The repository is a shallow clone; merges need the whole history.",
      fix: "Run `git fetch --unshallow`.",
    });
  }
  if (filters !== undefined) {
    problems.push({
      kind: "Partial",
      severity: "error",
      message: "The repository is a partial clone; the sandbox cannot fetch what is missing.",
      fix: "Clone it again without `--filter`.",
    });
  }
  if (format === "sha256") {
    problems.push({
      kind: "ObjectFormat",
      severity: "error",
      message: "The repository names objects by SHA-256; Bosun knows SHA-1 only.",
      fix: "Use a repository in git's default format.",
    });
  }
  for (const name of (agentBranches ?? "").split("\n").filter((ref) => /^agent-\d+$/.test(ref))) {
    problems.push({
      kind: "BlockedBranch",
      severity: "error",
      message: `A branch called ${name} stands in the way of branches below ${name}/.`,
      fix: `Rename it: git branch -m ${name} ${name}-old`,
    });
  }
  const network = networkFileSystems.get((await statfs(gitDirectory)).type);
  if (network !== undefined) {
    problems.push({
      kind: "NetworkFileSystem",
      severity: "warning",
      message: `The repository lies on ${network}: locks and file watching are not reliable there.`,
      fix: "Move it to a local disk; under WSL2 below your Linux home.",
    });
  }
  return problems;
}

function isNewEnough(version: string): boolean {
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > oldestGit[0] || (Number(major) === oldestGit[0] && Number(minor) >= oldestGit[1]);
}

/** Whether a `.gitattributes` anywhere in the tree asks for the filter of LFS. */
async function usesLargeFiles(git: Git, place: { gitDirectory: string }, files: string): Promise<boolean> {
  for (const line of files.split("\n")) {
    const [, blob] = /^\d+ blob ([0-9a-f]+)\t(?:.*\/)?\.gitattributes$/.exec(line) ?? [];
    if (blob === undefined) continue;
    const text = await git.run(place, ["cat-file", "blob", blob]);
    if (/\bfilter=lfs\b/.test(text.stdout.toString("utf8"))) return true;
  }
  return false;
}
