/** What the operator itself finds out about a commit: checks, secrets, protected paths, weakened tests. */

export type CommandName = "setup" | "lint" | "test" | "build";

export interface CheckCommand {
  /** One line for `bash -c`. */
  run: string;
  timeoutSeconds: number;
}

export type CheckCommands = Partial<Record<CommandName, CheckCommand>>;

export interface CheckResult {
  name: CommandName;
  run: string;
  /** Missing: the command does not exist. NoTests: a test command that ran no test. Both fail. */
  result: "Passed" | "Failed" | "TimedOut" | "Missing" | "NoTests";
  exitCode?: number;
  seconds: number;
  /** The last 4,000 characters of what it printed. */
  output: string;
}

export type ChecksObservation =
  /** Started, or waiting for a free place. */
  | { is: "running" }
  /** `passed` is every result Passed. No commands at all: passed with no results. */
  | { is: "done"; passed: boolean; results: readonly CheckResult[] };

export interface Finding {
  kind: "Secret" | "ProtectedPath" | "ForbiddenPath" | "WeakenedTest" | "CheckConfiguration";
  path: string;
  commit: string;
  /** Never holds the secret itself. */
  message: string;
}

export interface Quality {
  /**
   * Results of the commands on the tree of `commit`, in a clean sandboxed checkout; cached by tree, commands and
   * environment. Starts them when nobody did, and does not wait.
   */
  checks(commit: string, commands: CheckCommands): Promise<ChecksObservation>;
  /** What every commit of `base..head` adds that must not, or may not alone, be merged. */
  inspect(base: string, head: string, protectedPaths: readonly string[]): Promise<readonly Finding[]>;
  /** Calls `wake` with the commit whose checks ended. */
  subscribe(wake: (commit: string) => void, signal: AbortSignal): void;
}
