import { existsSync, writeFileSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { sandboxed } from "../sandbox/sandbox.ts";
import { shellWord } from "../system/shell-word.ts";
import { type Git, type GitPlace, neutral, type Wrap } from "./git.ts";
import { initialize } from "./init.ts";

export interface CheckoutGitOptions {
  /** The checkout's name, path and the operator's git directory for it. */
  path: string;
  gitDirectory: string;
  /** Hidden from git as it reads what the agent wrote; undefined runs it without a sandbox. */
  sandbox: { hide: readonly string[]; readOnly: readonly string[] } | undefined;
}

/** Remembered about a checkout where no agent can write. */
export interface CheckoutRecord {
  branch: string;
  base: string;
  /** See `Checkout`. */
  id: string;
}

/** The operator's git directory for a checkout; objects and files are the checkout's, all else is the operator's. */
export function checkoutPlace({ path, gitDirectory }: CheckoutGitOptions): GitPlace {
  return {
    gitDirectory,
    objects: join(path, ".git", "objects"),
    workTree: path,
    index: join(gitDirectory, "index"),
  };
}

/**
 * Starts git in the sandbox: packs and indexes that an agent wrote are parsed where a fault can do no harm.
 *
 * @param first - arguments for git to run before, with the same settings; when that fails nothing else runs
 */
export function checkoutWrap(
  options: CheckoutGitOptions,
  writes: boolean,
  first: readonly string[] = [],
): Wrap {
  const { sandbox } = options;
  return (args, env) => {
    const command = commandLine(args, first);
    if (sandbox === undefined) {
      const [file = "git", ...rest] = command;
      return { file, args: rest, env };
    }
    return sandboxed(command, {
      checkout: options.path,
      checkoutWritable: writes,
      writable: [options.gitDirectory],
      cwd: options.gitDirectory,
      hide: sandbox.hide,
      extraReadOnly: sandbox.readOnly,
      env,
      network: "none",
      urgent: true,
    });
  };
}

/** One process to start instead of two: a sandbox, and a fork of the operator, cost more than what git does in them. */
function commandLine(args: readonly string[], first: readonly string[]): readonly string[] {
  if (first.length === 0) return ["git", ...args];
  const quoted = [...neutral, ...first].map(shellWord);
  return ["sh", "-c", `git ${quoted.join(" ")} && exec git "$@"`, "sh", ...args];
}

/**
 * Makes the operator's git directory for a checkout anew.
 *
 * @param except - names of files that stay as they are there: what is known of a checkout that was lost
 */
export async function makeGitDirectory(
  git: Git,
  gitDirectory: string,
  record: CheckoutRecord,
  except: readonly string[],
): Promise<void> {
  const names = existsSync(gitDirectory) ? await readdir(gitDirectory) : [];
  for (const name of names.filter((one) => !except.includes(one)))
    await rm(join(gitDirectory, name), { recursive: true });
  await initialize(git, gitDirectory, { "core.bare": "false" });
  writeFileSync(join(gitDirectory, "bosun.json"), `${JSON.stringify(record)}\n`);
  setHead(gitDirectory, record.base);
}

/** Has `gitDirectory`, one of the operator's own, stand at `commit`. */
export function setHead(gitDirectory: string, commit: string): void {
  writeFileSync(join(gitDirectory, "HEAD"), `${commit}\n`);
}

/** What was written down of the checkout when it was made. @throws Error when the file is missing or damaged */
export async function readRecord(gitDirectory: string): Promise<CheckoutRecord> {
  return JSON.parse(await readFile(join(gitDirectory, "bosun.json"), "utf8")) as CheckoutRecord;
}
