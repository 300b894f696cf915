import { createHash } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { TerminalError, TransientError } from "../runtime/errors.ts";
import { DamagedCheckout, damageIn, readBranch, requireLender } from "./checkout-files.ts";
import { type CheckoutGitOptions, checkoutPlace, checkoutWrap, readRecord } from "./checkout-git.ts";
import type { CheckoutsOptions } from "./checkouts.ts";
import type { GitPlace } from "./git.ts";
import { isComplete } from "./is-complete.ts";
import { changeRefs, readRef } from "./refs.ts";
import type { GitClaim } from "./repository.ts";
import { holdersOf, howToFree } from "./worktrees.ts";

/** Fewer objects than this are written one by one, as `git fetch` does; more stay in a pack. */
const looseLimit = 100;

/**
 * Brings a branch from a checkout into the user's repository.
 *
 * The objects travel as a pack that is made in the sandbox and taken apart outside of it, where git computes the
 * name of every object anew and checks it (`--strict`); then the history must be complete without the checkout.
 * Only then the branch moves, in one transaction with the fence.
 */
export async function collect(
  options: CheckoutsOptions,
  where: CheckoutGitOptions,
  { claim, branch }: { claim: GitClaim; branch: string },
): Promise<string> {
  const { git, repository, objects, claims } = options;
  const fence = await claims.fence(claim);
  const ref = `refs/heads/${branch}`;
  const head = await headOf(options, where, branch);
  const before = await readRef(git, repository, ref);
  // A ref has all that it leads to.
  const hasNews = before !== head;
  if (hasNews)
    await bring(options, where, { branch, head }).catch((error: unknown) => {
      throw refusal(damageIn(where.path, error));
    });
  // Also where nothing moves: a claim that ended meanwhile must not be told that it collected.
  const moved = await changeRefs(
    git,
    repository,
    [fence, ...(hasNews ? [{ do: "move", ref, from: before, to: head } as const] : [])],
    `collect claim ${claim.number} of ${claim.project}`,
  );
  if (!moved) {
    await claims.fence(claim);
    throw new TransientError("BranchMoved", `Branch ${branch} moved in ${objects.gitDirectory} meanwhile.`);
  }
  return head;
}

/** Has the repository hold all that `head` leads to, unless a work tree of the person has the branch out. */
async function bring(
  options: CheckoutsOptions,
  where: CheckoutGitOptions,
  { branch, head }: { branch: string; head: string },
): Promise<void> {
  const { base } = await readRecord(where.gitDirectory);
  const [[holder]] = await Promise.all([
    holdersOf(options.git, options.repository, `refs/heads/${branch}`),
    bringObjects(options, where, { head, base }),
  ]);
  if (holder === undefined) return;
  throw new TransientError(
    "BranchCheckedOut",
    `Branch ${branch} is checked out at ${holder.path}. ${howToFree(holder)}`,
  );
}

async function headOf(options: CheckoutsOptions, where: CheckoutGitOptions, branch: string): Promise<string> {
  try {
    requireLender(where.path, options.objectDirectory);
    const head = readBranch(where.path, `refs/heads/${branch}`);
    if (head !== undefined) return head;
  } catch (error) {
    throw refusal(error);
  }
  throw new TerminalError("BranchMissing", `Checkout ${where.path} has no branch ${branch} to collect.`);
}

function refusal(cause: unknown): unknown {
  if (!(cause instanceof DamagedCheckout)) return cause;
  return new TerminalError("CheckoutDamaged", `Nothing was collected: ${cause.message}`, { cause });
}

/** @param objectsOf.from - where git finds the objects, and with which variables; the checkout when left out */
export async function bringObjects(
  options: CheckoutsOptions,
  where: CheckoutGitOptions,
  objectsOf: {
    head: string;
    base: string;
    from?: { place: GitPlace; env: Readonly<Record<string, string>> };
  },
): Promise<void> {
  const { head, base, from = { place: checkoutPlace(where), env: {} } } = objectsOf;
  const { git, objects, layout } = options;
  await mkdir(layout.temporary, { recursive: true });
  const name = createHash("sha256").update(`${where.path}\0${head}`).digest("hex");
  const pack = join(layout.temporary, `${name}.pack`);
  await rm(pack, { force: true });
  try {
    await git.text(
      from.place,
      ["pack-objects", "--revs", "--thin", "--stdout", "--delta-base-offset", "-q"],
      { stdin: `${head}\n^${base}\n`, stdoutFile: pack, env: from.env },
      checkoutWrap(where, false),
    );
    const many = (await objectCount(pack)) >= looseLimit;
    const take = many
      ? ["index-pack", "--stdin", "--fix-thin", "--strict"]
      : ["unpack-objects", "-q", "--strict"];
    await git.text(objects, take, { stdinFile: pack });
    if (!(await isComplete(git.reader(objects), base, head)))
      await git.text(objects, ["rev-list", "--objects", "--quiet", head, "--not", base]);
  } finally {
    await rm(pack, { force: true });
  }
}

/** From the header of a pack: `PACK`, the version, the count, each four bytes. */
async function objectCount(pack: string): Promise<number> {
  const file = await open(pack, "r");
  try {
    const header = Buffer.alloc(12);
    await file.read(header, 0, 12, 0);
    return header.readUInt32BE(8);
  } finally {
    await file.close();
  }
}
