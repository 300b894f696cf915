import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { TransientError } from "../runtime/errors.ts";
import {
  type CheckoutHead,
  DamagedCheckout,
  damageIn,
  moveHead,
  readHead,
  removeLocks,
} from "./checkout-files.ts";
import {
  type CheckoutGitOptions,
  checkoutPlace,
  checkoutWrap,
  makeGitDirectory,
  readRecord,
  setHead,
} from "./checkout-git.ts";
import type { Claims } from "./claims.ts";
import { filesAsTheyAre } from "./files-as-they-are.ts";
import type { Git, GitPlace } from "./git.ts";
import { type Kept, keepWork, keptName, keptWork, wipPrefix } from "./kept-work.ts";
import { checkoutName, keepPrefix, keepRef, type Layout, type Purpose } from "./layout.ts";
import { makeCheckout } from "./make-checkout.ts";
import { identityEnvironment, isAncestor } from "./plan-merge.ts";
import { changeRefs, type RefChange, readRef } from "./refs.ts";
import type { Checkout, CheckoutState, CommitIdentity, GitClaim, Seen } from "./repository.ts";

export interface CheckoutsOptions {
  git: Git;
  /** The user's git directory: refs. */
  repository: GitPlace;
  /** The operator's git directory on the user's objects. */
  objects: GitPlace;
  /** Absolute path of the user's objects, as checkouts borrow them. */
  objectDirectory: string;
  layout: Layout;
  claims: Claims;
  /** Name of the branch in a checkout that shows where the work started. */
  targetBranch: string;
  sandbox: CheckoutGitOptions["sandbox"];
  /** See `OpenRepositoryOptions`. */
  fill: ((checkout: string) => Promise<readonly string[]>) | undefined;
}

interface Status {
  at: CheckoutHead;
  /** What git prints for it, a character a byte. */
  text: string;
}

/** The folders agents work in: made, looked at, saved, and taken away. */
export class Checkouts {
  readonly #o: CheckoutsOptions;
  /** By path: where HEAD and files of a checkout were when nothing in it was uncommitted. */
  readonly #clean = new Map<string, { head: string; files: string }>();

  constructor(options: CheckoutsOptions) {
    this.#o = options;
  }

  async ensure(
    claim: GitClaim,
    options: { branch: string; from: string; identity: CommitIdentity; purpose: Purpose },
  ): Promise<Checkout> {
    const { git, objects, claims, objectDirectory, targetBranch } = this.#o;
    const where = this.locate(claim, options.purpose);
    // A claim that is over gets no checkout, not even the one it had.
    const fence = options.purpose === "execute" ? [await claims.fence(claim)] : [];
    if (existsSync(where.path)) {
      await removeLocks(where.path);
      return { path: where.path, ...(await readRecord(where.gitDirectory)) };
    }

    const commit = `${options.from}^{commit}`;
    const base =
      (await git.reader(objects).id(commit)) ?? (await git.text(objects, ["rev-parse", "--verify", commit]));
    const record = { branch: options.branch, base, id: randomUUID() };
    const lost = options.purpose === "execute" ? await this.#lostWork(where, base) : undefined;
    await makeGitDirectory(git, where.gitDirectory, record, [keptName]);
    // The files are written out meanwhile; there is no checkout before its base is kept.
    const kept = this.#keepBase(claim, options.purpose, { base, fence });
    const made = makeCheckout(git, {
      path: where.path,
      objectDirectory,
      targetBranch,
      identity: options.identity,
      fill: this.#o.fill,
      excludeIn: [where.gitDirectory],
      branch: record.branch,
      base,
      ready: kept,
      ...(lost === undefined ? {} : { head: lost.head, files: lost.commit }),
    });
    // Whichever fails, the next try must not meet the other.
    await Promise.allSettled([kept, made]);
    await made;
    if (lost === undefined) this.#rememberClean(where, base, filesAsTheyAre(where.path));
    return { path: where.path, ...record };
  }

  /** What was kept of a checkout that is gone since; undefined where `base`, which was collected later, has gone on from it. */
  async #lostWork(where: CheckoutGitOptions, base: string): Promise<Kept | undefined> {
    const kept = await keptWork(this.#o, where);
    if (kept === undefined || kept.head === base) return kept;
    const { git, objects } = this.#o;
    return (await isAncestor(git, objects, kept.head, base)) ? undefined : kept;
  }

  /** Holds `base` against the user's gc for as long as the claim has its checkout. */
  async #keepBase(
    claim: GitClaim,
    purpose: Purpose,
    { base, fence }: { base: string; fence: readonly RefChange[] },
  ): Promise<void> {
    const { git, repository } = this.#o;
    const keep = keepRef(claim, purpose);
    const kept = await readRef(git, repository, keep);
    if (kept === base) return;
    const moved = await changeRefs(
      git,
      repository,
      [...fence, { do: "move", ref: keep, from: kept, to: base }],
      `keep the base of ${claim.project}`,
    );
    if (!moved) throw new TransientError("ClaimMoved", `The claim of ${claim.project} changed meanwhile.`);
  }

  async state(claim: GitClaim, purpose: Purpose): Promise<Seen<CheckoutState>> {
    const where = this.locate(claim, purpose);
    if (!existsSync(where.path)) return { is: "absent" };
    try {
      const { at, text } = await this.#status(where);
      const fingerprint = createHash("sha256")
        .update(`${at.ref ?? ""}\0${at.head}\0${text}`)
        .digest("hex");
      return { is: "present", value: { head: at.head, dirty: text !== "", fingerprint } };
    } catch (error) {
      return unknownBy(error);
    }
  }

  async save(
    claim: GitClaim,
    message: string,
    author: { identity: CommitIdentity; dateSeconds: number },
  ): Promise<Seen<string>> {
    const { git } = this.#o;
    const where = this.locate(claim, "execute");
    if (!existsSync(where.path)) return { is: "absent" };
    try {
      const { at, text } = await this.#statusAtRest(where);
      const paths = changedPaths(text);
      if (paths.length === 0) return { is: "present", value: at.head };
      const place = checkoutPlace(where);
      const wrap = checkoutWrap(where, true);
      const add = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"];
      await git.text(
        place,
        add,
        { stdin: paths.map((path) => `${path}\0`).join(""), encoding: "latin1" },
        wrap,
      );
      const tree = await git.text(place, ["write-tree"], {}, wrap);
      const commit = await git.text(
        place,
        ["commit-tree", tree, "-p", at.head, "-F", "-"],
        { stdin: message, env: identityEnvironment(author.identity, author.dateSeconds) },
        wrap,
      );
      await moveHead(where.path, at, commit, join(where.gitDirectory, "index"));
      return { is: "present", value: commit };
    } catch (error) {
      return unknownBy(error);
    }
  }

  /** See `KeepsWork`. */
  async keep(
    claim: GitClaim,
    session: string,
    author: { identity: CommitIdentity; dateSeconds: number },
  ): Promise<Seen<string>> {
    const where = this.locate(claim, "execute");
    if (!existsSync(where.path)) return { is: "absent" };
    try {
      const { at, text } = await this.#statusAtRest(where);
      const work = { session, head: at.head, paths: changedPaths(text), author };
      return { is: "present", value: await keepWork(this.#o, where, work) };
    } catch (error) {
      return unknownBy(error);
    }
  }

  async release(claim: GitClaim, purpose: Purpose): Promise<"removed" | "quarantined" | "absent"> {
    const where = this.locate(claim, purpose);
    const { git, repository, layout } = this.#o;
    const keep = keepRef(claim, purpose);
    if (!existsSync(where.path)) {
      const work = await keptWork(this.#o, where);
      const base = await readRef(git, repository, keep);
      const gone: RefChange[] = [];
      // The last there is of a checkout that was lost stays, and what one in quarantine stands on.
      if (work !== undefined && (await this.#isHeld(work.commit)))
        gone.push({ do: "move", ref: work.ref, from: work.commit, to: undefined });
      if (base !== undefined && !(await this.#isInQuarantine(where)) && (await this.#isHeld(base)))
        gone.push({ do: "move", ref: keep, from: base, to: undefined });
      if (gone.length > 0) await changeRefs(git, repository, gone, "release");
      // Left where a release was killed half-way.
      await rm(where.gitDirectory, { recursive: true, force: true });
      return "absent";
    }
    const kept = await readRef(git, repository, keep);
    const why = await this.#whyKept(claim, purpose, kept);
    if (why !== undefined) {
      await mkdir(layout.quarantine, { recursive: true });
      const to = freePath(join(layout.quarantine, checkoutName(claim, purpose)));
      await writeFile(`${to}.txt`, `${why}\n`);
      await rename(where.path, to);
      return "quarantined";
    }
    const work = await keptWork(this.#o, where);
    // First the refs, which nothing needs now, then the folder: repeated after a crash, all are gone.
    const gone: RefChange[] = [];
    if (kept !== undefined) gone.push({ do: "move", ref: keep, from: kept, to: undefined });
    if (work !== undefined) gone.push({ do: "move", ref: work.ref, from: work.commit, to: undefined });
    if (gone.length > 0) await changeRefs(git, repository, gone, "release");
    // Renamed before it is removed: a half-removed folder must not be taken for a checkout.
    await mkdir(layout.temporary, { recursive: true });
    const out = freePath(join(layout.temporary, checkoutName(claim, purpose)));
    await rename(where.path, out);
    this.#clean.delete(where.path);
    await rename(where.gitDirectory, freePath(`${out}.git`));
    // Its agent is free: it need not wait until all files are gone. Any that stay go with the next start.
    for (const path of [out, `${out}.git`]) rm(path, { recursive: true, force: true }).catch(() => undefined);
    return "removed";
  }

  /** Where a claim's checkout is or would be. */
  locate(claim: GitClaim, purpose: Purpose): CheckoutGitOptions {
    const name = checkoutName(claim, purpose);
    const { layout, sandbox } = this.#o;
    return { path: join(layout.checkouts, name), gitDirectory: join(layout.gitDirectories, name), sandbox };
  }

  /** Why a checkout must not be deleted; undefined when all it holds is in the user's repository. */
  async #whyKept(claim: GitClaim, purpose: Purpose, kept: string | undefined): Promise<string | undefined> {
    const where = this.locate(claim, purpose);
    let status: Status;
    try {
      status = await this.#statusAtRest(where);
    } catch (error) {
      return `Its state could not be read: ${unknownBy(error).why}`;
    }
    if (status.text !== "") return "It has changes that are not committed.";
    const { head } = status.at;
    // Nothing was committed, as by a reviewer: what it started from came out of the repository.
    if (head === kept) return undefined;
    // Without what was written down at its making, all refs are asked.
    const record = await readRecord(where.gitDirectory).catch(() => undefined);
    return (await this.#isHeld(head, record?.branch))
      ? undefined
      : `No ref of the repository contains its commit ${head}.`;
  }

  /**
   * Whether the user's repository holds a commit, whatever becomes of its checkout.
   *
   * @param branch - looked at first, unless it is empty
   */
  async #isHeld(commit: string, branch = ""): Promise<boolean> {
    const { git, repository } = this.#o;
    if (branch !== "" && (await readRef(git, repository, `refs/heads/${branch}`)) === commit) return true;
    const format = ["--format=%(refname)", "--contains", commit];
    const refs = await git.run(repository, ["for-each-ref", ...format]);
    // What is merely kept goes with the checkout, so it holds nothing against that.
    const names = refs.exitCode === 0 ? refs.stdout.toString("utf8").split("\n") : [];
    const goes = (name: string): boolean => name.startsWith(wipPrefix) || name.startsWith(keepPrefix);
    return names.some((name) => name !== "" && !goes(name));
  }

  /** Whether a checkout may lie there that was once at `path`: it borrows the objects of what it started from. */
  async #isInQuarantine({ path }: CheckoutGitOptions): Promise<boolean> {
    const names = await readdir(this.#o.layout.quarantine).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return names.some((name) => name.replace(/\.\d+$/, "") === basename(path));
  }

  /**
   * Of a checkout in which nobody is at work. One whose files are all as they were when git last found nothing uncommitted,
   * or as they were made, needs no git: a sandbox with three processes is the dearest question of all.
   */
  async #statusAtRest(where: CheckoutGitOptions): Promise<Status> {
    const files = filesAsTheyAre(where.path);
    const at = readHead(where.path, this.#o.objectDirectory);
    const clean = this.#clean.get(where.path);
    if (files !== undefined && clean?.head === at.head && clean.files === files) return { at, text: "" };
    const status = await this.#status(where);
    if (status.text === "") this.#rememberClean(where, status.at.head, files);
    return status;
  }

  /** @param files - looked at before it was known that nothing is uncommitted */
  #rememberClean({ path }: CheckoutGitOptions, head: string, files: string | undefined): void {
    if (files === undefined) this.#clean.delete(path);
    else this.#clean.set(path, { head, files });
  }

  async #status(where: CheckoutGitOptions): Promise<Status> {
    const { git, objectDirectory } = this.#o;
    const at = readHead(where.path, objectDirectory);
    setHead(where.gitDirectory, at.head);
    // Nobody else uses this index, so a lock on it is what a killed git left.
    await rm(join(where.gitDirectory, "index.lock"), { force: true });
    const status = ["status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames"];
    // Looking into a nested repository would run git there, with the configuration that lies in it.
    const asked = git.text(
      checkoutPlace(where),
      [...status, "--ignore-submodules=all"],
      { env: { GIT_OPTIONAL_LOCKS: "1" }, encoding: "latin1" },
      checkoutWrap(where, false, ["read-tree", "--reset", at.head]),
    );
    const text = await asked.catch((error: unknown) => {
      throw damageIn(where.path, error);
    });
    return { at, text };
  }
}

/** Paths out of `git status --porcelain=v2 -z`, as it has them; a nested repository (it ends in a slash) is nothing to commit. */
function changedPaths(status: string): readonly string[] {
  return status
    .split("\0")
    .filter((record) => record !== "")
    .map((record) => (record.startsWith("? ") ? record.slice(2) : record.split(" ").slice(8).join(" ")))
    .filter((path) => path !== "" && !path.endsWith("/"));
}

/** @throws `error` when it says nothing of a checkout */
function unknownBy(error: unknown): Seen<never> & { is: "unknown" } {
  if (error instanceof DamagedCheckout) return { is: "unknown", why: error.message, isDamaged: true };
  if (error instanceof TransientError) return { is: "unknown", why: error.message };
  throw error;
}

/** A dot and a number after what ends in a number or `-review`, so that none is called as another claim's would be. */
function freePath(path: string): string {
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? path : `${path}.${count}`;
    if (!existsSync(candidate)) return candidate;
  }
}
