/** What a checkout holds, kept in the user's repository while nobody works on it: committed or not. */
import { lstat, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFileSync } from "../storage/replace-file.ts";
import { type CheckoutGitOptions, checkoutPlace, checkoutWrap, readRecord } from "./checkout-git.ts";
import type { CheckoutsOptions } from "./checkouts.ts";
import { bringObjects } from "./collect.ts";
import type { GitPlace } from "./git.ts";
import { identityEnvironment } from "./plan-merge.ts";
import { changeRefs, readRef } from "./refs.ts";
import type { CommitIdentity } from "./repository.ts";

/** A file larger than this is named in the commit's message and left out, in bytes: no source is. */
const fileBytesMax = 100 * 1024 * 1024;

export interface WorkToKeep {
  session: string;
  /** Of the checkout. */
  head: string;
  /** What git calls changed or untracked there, a character a byte; its index in the operator's git directory is as `head` is. */
  paths: readonly string[];
  author: { identity: CommitIdentity; dateSeconds: number };
}

/** Remembered in the operator's git directory of a checkout. */
export interface KeptRecord {
  session: string;
  /** Of the checkout as it was. */
  head: string;
}

export interface Kept extends KeptRecord {
  ref: string;
  /** What the ref points at: the head, or a commit on it with what was uncommitted. */
  commit: string;
}

export const wipPrefix = "refs/bosun/wip/";
/** The file of the `KeptRecord`. */
export const keptName = "kept.json";

function wipRef(session: string): string {
  return wipPrefix + session;
}

/**
 * Keeps it as a commit on the checkout's head, in `refs/bosun/wip/<session>` and on no branch; where nothing is
 * uncommitted the head itself is kept. Nothing in the checkout changes: index and new objects are the operator's own.
 * Kept again it is the same commit.
 */
export async function keepWork(
  options: CheckoutsOptions,
  where: CheckoutGitOptions,
  work: WorkToKeep,
): Promise<string> {
  const { git, repository } = options;
  const { session, head } = work;
  const ref = wipRef(session);
  const before = await readRef(git, repository, ref);
  const own = join(where.gitDirectory, "kept-objects");
  await rm(own, { recursive: true, force: true });
  await mkdir(own);
  const from = {
    place: { ...checkoutPlace(where), objects: own },
    env: { GIT_ALTERNATE_OBJECT_DIRECTORIES: checkoutPlace(where).objects ?? "" },
  };
  try {
    const commit = work.paths.length === 0 ? head : await commitOf(options, where, { work, from, before });
    if (commit !== before) {
      const { base } = await readRecord(where.gitDirectory);
      await bringObjects(options, where, { head: commit, base, from });
    }
    await remember(where, { session, head });
    if (commit !== before)
      await changeRefs(git, repository, [{ do: "move", ref, from: before, to: commit }], `keep ${session}`);
    return commit;
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** What was kept of a checkout that is gone since; undefined when nothing was. */
export async function keptWork(
  { git, repository }: CheckoutsOptions,
  where: CheckoutGitOptions,
): Promise<Kept | undefined> {
  const record = await recordOf(where);
  if (record === undefined) return undefined;
  const ref = wipRef(record.session);
  const commit = await readRef(git, repository, ref);
  return commit === undefined ? undefined : { ...record, ref, commit };
}

/** Says which kept work belongs to a checkout, should it be lost. */
async function remember(where: CheckoutGitOptions, { session, head }: KeptRecord): Promise<void> {
  replaceFileSync(recordPath(where), `${JSON.stringify({ session, head })}\n`, { durable: true });
}

interface Source {
  place: GitPlace;
  env: Readonly<Record<string, string>>;
}

async function commitOf(
  { git, objects }: CheckoutsOptions,
  where: CheckoutGitOptions,
  { work, from, before }: { work: WorkToKeep; from: Source; before: string | undefined },
): Promise<string> {
  const { head, author, session } = work;
  const { env } = from;
  const wrap = checkoutWrap(where, false);
  const large = await largeOf(where.path, work.paths);
  const kept = work.paths.filter((path) => !large.includes(path));
  const stdin = kept.map((path) => `${path}\0`).join("");
  const add = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"];
  await git.text(from.place, add, { stdin, env, encoding: "latin1" }, wrap);
  const tree = await git.text(from.place, ["write-tree"], { env }, wrap);
  if (before !== undefined) {
    const parts = await git.text(objects, ["rev-parse", `${before}^{tree}`, `${before}^`]);
    if (parts === `${tree}\n${head}`) return before;
  }
  const left = large.map((path) => `Left out, too large: ${Buffer.from(path, "latin1")}\n`).join("");
  return await git.text(
    from.place,
    ["commit-tree", tree, "-p", head, "-F", "-"],
    {
      stdin: `Keep unfinished work of session ${session}\n\n${left}`,
      env: { ...env, ...identityEnvironment(author.identity, author.dateSeconds) },
    },
    wrap,
  );
}

async function largeOf(checkout: string, paths: readonly string[]): Promise<readonly string[]> {
  const sizes = await Promise.all(
    paths.map((path) =>
      lstat(Buffer.concat([Buffer.from(`${checkout}/`), Buffer.from(path, "latin1")])).then(
        ({ size }) => size,
        () => 0, // Deleted: that is the change.
      ),
    ),
  );
  return paths.filter((_, index) => (sizes[index] ?? 0) > fileBytesMax);
}

async function recordOf(where: CheckoutGitOptions): Promise<KeptRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordPath(where), "utf8")) as KeptRecord;
  } catch (error) {
    // Never kept, or damaged: then it is kept by its ref, for a person to find.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function recordPath({ gitDirectory }: CheckoutGitOptions): string {
  return join(gitDirectory, keptName);
}
