/** The folder of a workspace, before anything lies in it. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Git } from "../../../pkg/git/git.ts";
import { noWorkTree } from "../no-work-tree.ts";
import { UserError } from "../user-error.ts";
import { FOLDER_NAME, workspaceFolder } from "../workspace-folder.ts";

/** Makes the folder in `repository`, out of git's sight; says whether git had to be told so. Safe to repeat. */
export async function makeFolder(git: Git, repository: string): Promise<boolean> {
  const { path: folder } = workspaceFolder(repository);
  mkdirSync(folder, { recursive: true });
  await makeRepository(git, folder);
  return await exclude(git, repository);
}

export async function topOf(git: Git, cwd: string): Promise<string> {
  const top = await git.inUserCheckout(cwd, ["rev-parse", "--show-toplevel"]);
  if (top.exitCode !== 0) {
    const { message, fix } = await noWorkTree(git, cwd);
    throw new UserError(`${message} ${fix}`);
  }
  const repository = String(top.stdout).trimEnd();
  if (repository.split(path.sep).includes(FOLDER_NAME)) {
    throw new UserError(`${cwd} is Bosun's own folder. Run \`bosun init\` in the repository around it.`);
  }
  const head = await git.inUserCheckout(repository, ["rev-parse", "--verify", "--quiet", "HEAD"]);
  if (head.exitCode !== 0) {
    throw new UserError(
      `${repository} has no commit yet, so there is nothing to work from. Make the first: git commit --allow-empty -m "Begin"`,
    );
  }
  return repository;
}

/** An empty repository of its own: so git clean, stash and branch switches of the one around it pass the folder by. */
async function makeRepository(git: Git, folder: string): Promise<void> {
  if (existsSync(path.join(folder, ".git"))) return;
  const made = await git.inUserCheckout(folder, ["init", "--quiet", "--template="]);
  if (made.exitCode !== 0) throw new UserError(`git init failed in ${folder}: ${made.stderr}`);
}

/** Lists the folder in .git/info/exclude, unless it is ignored already. Says whether it did. */
async function exclude(git: Git, repository: string): Promise<boolean> {
  const ignored = await git.inUserCheckout(repository, [
    "check-ignore",
    "--quiet",
    "--no-index",
    `${FOLDER_NAME}/`,
  ]);
  if (ignored.exitCode === 0) return false;
  const where = await git.inUserCheckout(repository, ["rev-parse", "--git-path", "info/exclude"]);
  const file = path.resolve(repository, String(where.stdout).trimEnd());
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  const lineEnd = before === "" || before.endsWith("\n") ? "" : "\n";
  mkdirSync(path.dirname(file), { recursive: true });
  appendFileSync(file, `${lineEnd}/${FOLDER_NAME}/\n`);
  return true;
}
