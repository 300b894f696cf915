/** How long git is waited for. One that is late waits for something that won't come: a disk, a filter, a prompt. */
export interface GitLimits {
  /** For what a few files answer, and without a word from a process that stays. */
  quickMs: number;
  /** For what reads or writes whole trees and histories, in a large repository on a slow disk too. */
  wholeMs: number;
  /** Between asking a late one to end and killing it. */
  graceMs: number;
}

export const gitLimits: GitLimits = { quickMs: 30_000, wholeMs: 10 * 60_000, graceMs: 5_000 };

const quick: ReadonlySet<string> = new Set([
  "--version",
  "cat-file",
  "commit-tree",
  "config",
  "for-each-ref",
  "hash-object",
  "init",
  "rev-parse",
  "show",
  "symbolic-ref",
  "update-ref",
  "worktree",
]);

/** @param args - of git; settings may stand before the command */
export function limitOf(args: readonly string[], { quickMs, wholeMs }: GitLimits): number {
  const [command = "", ...more] = withoutSettings(args);
  // Which refs contain a commit is asked of their whole histories.
  return quick.has(command) && !more.includes("--contains") ? quickMs : wholeMs;
}

/** The arguments from the command on. */
export function withoutSettings(args: readonly string[]): readonly string[] {
  let from = 0;
  while (args[from] === "-c") from += 2;
  return args.slice(from);
}
