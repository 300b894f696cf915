import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sandboxed } from "../sandbox/sandbox.ts";
import type { Git, GitPlace, Wrap } from "./git.ts";

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

/** Starts git in the sandbox: packs and indexes that an agent wrote are parsed where a fault can do no harm. */
export function checkoutWrap(options: CheckoutGitOptions, writes: boolean): Wrap | undefined {
  const { sandbox } = options;
  if (sandbox === undefined) return undefined;
  return (args, env) =>
    sandboxed(["git", ...args], {
      checkout: options.path,
      checkoutWritable: writes,
      writable: [options.gitDirectory],
      cwd: options.gitDirectory,
      hide: sandbox.hide,
      extraReadOnly: sandbox.readOnly,
      env,
      network: "none",
    });
}

/** Makes the git directory. `git init` finds out what the disk can do: letter case, links, Unicode forms. */
export async function makeGitDirectory(
  git: Git,
  gitDirectory: string,
  record: CheckoutRecord,
): Promise<void> {
  await mkdir(gitDirectory, { recursive: true });
  await git.text({ gitDirectory }, ["init", "--quiet", "--template="]);
  await git.text({ gitDirectory }, ["config", "core.bare", "false"]);
  await writeFile(join(gitDirectory, "bosun.json"), `${JSON.stringify(record)}\n`);
  await setHead(gitDirectory, record.base);
}

export async function setHead(gitDirectory: string, commit: string): Promise<void> {
  await writeFile(join(gitDirectory, "HEAD"), `${commit}\n`);
}

export async function readRecord(gitDirectory: string): Promise<CheckoutRecord> {
  return JSON.parse(await readFile(join(gitDirectory, "bosun.json"), "utf8")) as CheckoutRecord;
}
