import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TransientError } from "../runtime/errors.ts";
import { commonGitDirectory } from "../sandbox/places.ts";
import { type Git, gitBy, gitFailed } from "./git.ts";
import type { ProcessOutput, RunProcess } from "./process.ts";

/** Something about a repository that Bosun cannot work with, or not safely. */
export interface RepositoryProblem {
  kind:
    | "NotARepository"
    | "Unreadable"
    | "GitTooOld"
    | "NoCommit"
    | "DetachedHead"
    | "Submodules"
    | "LargeFiles"
    | "Encrypted"
    | "Filters"
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

export interface InspectOptions {
  /** Whose files are looked at, without `refs/heads/`; HEAD's where it is not known or not there. */
  targetBranch?: string | undefined;
  runGit?: RunProcess;
}

/** What in a repository stands in Bosun's way, each with what to do; empty when nothing does. */
export async function inspectRepository(
  repositoryPath: string,
  { targetBranch, runGit }: InspectOptions = {},
): Promise<readonly RepositoryProblem[]> {
  const git = gitBy(runGit);
  const gitDirectory = commonDirectoryOf(repositoryPath);
  if (gitDirectory === undefined) {
    return [
      {
        kind: "NotARepository",
        severity: "error",
        message: `${join(repositoryPath, ".git")} leads to a folder that is not there.`,
        fix: "Bring the repository back; where it was moved, run `git worktree repair` in it, with the path of this work tree.",
      },
    ];
  }
  if (!existsSync(join(gitDirectory, "objects"))) {
    return [
      {
        kind: "NotARepository",
        severity: "error",
        message: `${repositoryPath} is not the top of a git work tree.`,
        fix: whereToGo(repositoryPath),
      },
    ];
  }
  try {
    return await problemsOf(git, { repositoryPath, gitDirectory }, targetBranch);
  } catch (error) {
    if (!(error instanceof TransientError && error.reason === "GitFailed")) throw error;
    return [
      {
        kind: "Unreadable",
        severity: "error",
        message: `The repository can't be read: ${error.message.replace(/\.?$/, ".")}`,
        fix: "Mend what git names; `git fsck` tells more.",
      },
    ];
  }
}

/** From a folder that is not the top of a work tree. */
function whereToGo(folder: string): string {
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above))
    if (existsSync(join(above, ".git")))
      return `Move what declares the work to ${above}, where \`.git\` is, and run Bosun there.`;
  return "Run Bosun where `.git` is, or `git init` and commit first.";
}

/** Undefined where `.git` is a file that leads to a folder which is not there. */
function commonDirectoryOf(repositoryPath: string): string | undefined {
  try {
    return commonGitDirectory(repositoryPath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

interface Places {
  repositoryPath: string;
  gitDirectory: string;
}

/** @throws TransientError GitFailed when git can't tell */
async function problemsOf(
  git: Git,
  { repositoryPath, gitDirectory }: Places,
  targetBranch: string | undefined,
): Promise<RepositoryProblem[]> {
  const place = { gitDirectory };
  const ask = async (...args: readonly string[]): Promise<string | undefined> =>
    answerTo(args, await git.run(place, args));
  const askInCheckout = async (...args: readonly string[]): Promise<string | undefined> =>
    answerTo(args, await git.inUserCheckout(repositoryPath, args));
  const problems: RepositoryProblem[] = [];

  // Asked at the same time, since whoever starts waits for the answers: each is a process of git.
  const asked = Promise.all([
    askInCheckout("rev-parse", "--verify", "--quiet", "HEAD^{commit}"),
    askInCheckout("symbolic-ref", "--quiet", "HEAD"),
    ask("config", "--get-regexp", "^remote\\..*\\.(promisor|partialclonefilter)$"),
    ask("rev-parse", "--show-object-format"),
    ask("for-each-ref", "--format=%(refname:short)", "refs/heads/agent-*"),
    askInCheckout("config", "--name-only", "--get-regexp", "^filter\\."),
    targetBranch === undefined
      ? undefined
      : ask("show-ref", "--verify", "--quiet", `refs/heads/${targetBranch}`),
  ]);
  asked.catch(() => undefined); // Told below: an old git fails at what it does not know.
  const version = (await git.run(place, ["--version"])).stdout.toString("utf8").trim();
  if (!isNewEnough(version)) {
    problems.push({
      kind: "GitTooOld",
      severity: "error",
      message: `This is ${version || "no git"}; merging without a checkout needs git ${oldestGit.join(".")}.`,
      fix: "Install a newer git.",
    });
    return problems;
  }
  const [head, branch, promisors, format, agentBranches, settings, target] = await asked;
  const looked = target === undefined ? head : `refs/heads/${targetBranch}`;
  if (looked === undefined) {
    problems.push({
      kind: "NoCommit",
      severity: "error",
      message: "The repository has no commit, so there is nothing to start work from.",
      fix: "Make a first commit.",
    });
    return problems;
  }
  if (branch === undefined) {
    problems.push({
      kind: "DetachedHead",
      severity: "warning",
      message: "HEAD is detached, so the target branch cannot be taken from it.",
      fix: "Check out a branch, or name the target branch in the Workspace.",
    });
  }
  const files = (await ask("ls-tree", "-r", looked)) ?? "";
  if (/^160000 /m.test(files)) {
    problems.push({
      kind: "Submodules",
      severity: "error",
      message: "The repository has submodules; checkouts would miss their content.",
      fix: "Vendor them, or work on a branch without them.",
    });
  }
  // What a partial clone has not fetched can't be looked at.
  const filters = promisors === undefined ? await filtersOf(git, place, files) : [];
  const configured = (name: string): boolean => settings?.includes(`filter.${name}.`) === true;
  problems.push(...filters.flatMap((name) => filterProblem(name, configured(name))));
  if (existsSync(join(gitDirectory, "shallow"))) {
    problems.push({
      kind: "Shallow",
      severity: "error",
      message: "The repository is a shallow clone; merges need the whole history.",
      fix: "Run `git fetch --unshallow`.",
    });
  }
  if (promisors !== undefined) {
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

/** What git printed; undefined where it says, by an exit code of 1, that there is none. Any other failure is unknown. */
function answerTo(args: readonly string[], output: ProcessOutput): string | undefined {
  if (output.exitCode > 1) throw gitFailed(args, output);
  return output.exitCode === 0 ? output.stdout.toString("utf8").trim() : undefined;
}

function isNewEnough(version: string): boolean {
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > oldestGit[0] || (Number(major) === oldestGit[0] && Number(minor) >= oldestGit[1]);
}

/** The filters that a `.gitattributes` anywhere in the tree asks for, by their names. */
async function filtersOf(
  git: Git,
  place: { gitDirectory: string },
  files: string,
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const line of files.split("\n")) {
    const [, blob] = /^\d+ blob ([0-9a-f]+)\t(?:.*\/)?\.gitattributes$/.exec(line) ?? [];
    if (blob === undefined) continue;
    const attributes = await git.text(place, ["cat-file", "blob", blob]);
    for (const [, name = ""] of attributes.matchAll(/^(?!\s*#).*\sfilter=(\S+)/gm)) found.add(name);
  }
  return [...found].sort();
}

/** What stands in the way of files that pass a filter: none when nobody has set it up, and it does nothing. */
function filterProblem(name: string, isConfigured: boolean): readonly RepositoryProblem[] {
  if (name === "lfs")
    return [
      {
        kind: "LargeFiles",
        severity: "error",
        message:
          "The repository uses Git LFS; checkouts run no filters and would hold pointers instead of files.",
        fix: "Move the files out of LFS (`git lfs migrate export`).",
      },
    ];
  if (name.startsWith("git-crypt"))
    return [
      {
        kind: "Encrypted",
        severity: "error",
        message:
          "The repository uses git-crypt; checkouts run no filters: agents could not read its files, and would commit new ones unencrypted.",
        fix: "Keep what is secret out of the repository.",
      },
    ];
  if (!isConfigured) return [];
  return [
    {
      kind: "Filters",
      severity: "warning",
      message:
        `Files pass the filter ${name} (.gitattributes); checkouts run none: agents see what git stores, and what they ` +
        "commit is not filtered, so that git may call it modified in your work tree.",
      fix: "Give agents no work on such files.",
    },
  ];
}
