/** What to tell of a folder that git knows no work tree for. */
import type { Git } from "../../pkg/git/git.ts";

/** What is wrong with `cwd` and what to do, each a sentence. */
export async function noWorkTree(git: Git, cwd: string): Promise<{ message: string; fix: string }> {
  const bare = await git.inUserCheckout(cwd, ["rev-parse", "--is-bare-repository"]);
  return bare.exitCode === 0 && String(bare.stdout).trim() === "true"
    ? {
        message: `${cwd} is a bare repository: it has no files to work on.`,
        fix: "Clone it, and run Bosun in the clone.",
      }
    : {
        message: `${cwd} is not in a git repository.`,
        fix: 'Go to one, or make one: git init && git commit --allow-empty -m "Begin"',
      };
}
