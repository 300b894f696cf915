/** What to tell of a folder that git knows no work tree for. */
import type { Git } from "../../pkg/git/git.ts";

/** What is wrong with `cwd` and what to do, each a sentence. */
export async function noWorkTree(git: Git, cwd: string): Promise<{ message: string; fix: string }> {
  const bare = await git.inUserCheckout(cwd, ["rev-parse", "--is-bare-repository"]);
  if (bare.exitCode === 0 && String(bare.stdout).trim() === "true")
    return {
      message: `${cwd} is a bare repository: it has no files to work on.`,
      fix: "Clone it, and run Bosun in the clone.",
    };
  if (bare.exitCode === 0 || bare.stderr.includes("(or any "))
    return {
      message: `${cwd} is not in a git repository.`,
      fix: 'Go to one, or make one: git init && git commit --allow-empty -m "Begin"',
    };
  // There is one, and git says why it can't be used: another's files, a format that it does not know.
  return {
    message: `git can't use the repository of ${cwd}: ${bare.stderr.trim().replaceAll(/\s+/g, " ")}`,
    fix: "Do what git says. Where the repository of a linked work tree was moved, run `git worktree repair` in it.",
  };
}
