import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type OpenRepositoryOptions, openRepository } from "../../pkg/git/open.ts";
import { systemClock } from "../../pkg/system/system.ts";
import type { RepositoryWorld } from "../contracts/repository.contract.ts";

const execute = promisify(execFile);

/** Real git in temporary folders; `git` and `write` play the person and the agent. */
export interface RealWorld extends RepositoryWorld {
  root: string;
  repositoryPath: string;
  stateDirectory: string;
  remove(): Promise<void>;
}

export async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: directory,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "Person",
    GIT_AUTHOR_EMAIL: "person@example.com",
    GIT_COMMITTER_NAME: "Person",
    GIT_COMMITTER_EMAIL: "person@example.com",
  };
  const { stdout } = await execute("git", ["-C", directory, ...args], { env });
  return stdout.trimEnd();
}

export async function write(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

export async function commit(directory: string, files: Readonly<Record<string, string>>): Promise<string> {
  await write(directory, files);
  await git(directory, "add", "-A");
  await git(directory, "commit", "--quiet", "--no-verify", "-m", `Change ${Object.keys(files).join(", ")}`);
  return git(directory, "rev-parse", "HEAD");
}

/** Every file below `root` by content, links not followed; git's own log of refs and the object store aside. */
export async function everyByte(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const found: Record<string, string> = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /\/(objects|logs|refs\/bosun)\//.test(path)) continue;
    found[path] = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  }
  return found;
}

export async function openRealWorld(options: Partial<OpenRepositoryOptions> = {}): Promise<RealWorld> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "bosun-git-test-")));
  const repositoryPath = join(root, "repository");
  const stateDirectory = join(root, "state");
  await mkdir(repositoryPath);
  await git(repositoryPath, "init", "--quiet", "--initial-branch=main");
  await commit(repositoryPath, { "notes.txt": "first\n" });
  const repository = await openRepository({
    repositoryPath,
    stateDirectory,
    targetBranch: "main",
    mode: "real",
    clock: systemClock,
    sandbox: "off",
    ...options,
  });
  return {
    root,
    repositoryPath,
    stateDirectory,
    repository,
    userCommits: (files) => commit(repositoryPath, files),
    agentCommits: commit,
    agentWrites: write,
    damage: (checkout) => rm(join(checkout, ".git"), { recursive: true }),
    branch: (name) =>
      git(repositoryPath, "rev-parse", "--verify", `refs/heads/${name}`).catch(() => undefined),
    // The line break at the end is lost on the way through `git`.
    read: async (id, path) =>
      git(repositoryPath, "show", `${id}:${path}`).then(
        (text) => `${text}\n`,
        () => undefined,
      ),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
