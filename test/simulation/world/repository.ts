/** The user's repository and the checkouts, in memory. What the real one promises, without git. */
import type {
  Checkout,
  CheckoutState,
  CommitIdentity,
  GitClaim,
  MergePlan,
  MergeRequest,
  Repository,
  Seen,
  TargetSync,
} from "../../../pkg/git/repository.ts";
import { TerminalError } from "../../../pkg/runtime/errors.ts";
import { Commits, type SimCommit, type Tree } from "./commits.ts";
import { hash, share } from "./hash.ts";

/** An agent's or a reviewer's folder: what a session finds at `spec.checkout`. */
export interface SimCheckout extends Checkout {
  claim: GitClaim;
  head: string;
  /** Written and not committed. */
  dirty: Map<string, string>;
  /** The newest head that was brought to the user's repository. */
  collected: string | undefined;
  isDamaged: boolean;
}

export interface RepositoryEvents {
  /** A branch of the user's repository was moved for a claim. */
  collected?: (claim: GitClaim, branch: string, head: string) => void;
  /** The queue's target ref was swapped. */
  swapped?: (from: string, to: string) => void;
  /** The user's branch has followed it. */
  followed?: (from: string, to: string) => void;
}

export class SimRepository implements Repository {
  readonly objects = new Commits();
  /** The user's checkout of the target branch has uncommitted changes: no fast-forward there. */
  userIsDirty = false;
  events: RepositoryEvents = {};
  /** Whether what sessions write and commit gets onto the disk. */
  canWrite: () => boolean = () => true;
  /** How often a conflicting branch can be rebased, 0 to 1; what is rebased is another patch half of the times. */
  rebases = 0.3;
  readonly quarantined: string[] = [];
  #user: string;
  #queue: string | undefined;
  /** The user's commit that the queue has taken in. */
  #taken: string | undefined;
  readonly #branches = new Map<string, string>();
  readonly #claims = new Map<string, GitClaim>();
  readonly #checkouts = new Map<string, SimCheckout>();
  readonly #lastHeads = new Map<string, { base: string; head: string }>();
  readonly #wakers = new Set<() => void>();

  constructor(files: Readonly<Record<string, string>>) {
    const tree = new Map(Object.entries(files));
    this.#user = this.objects.add({ parents: [], tree, subject: "Begin" }).id;
  }

  // What people and sessions do

  get userHead(): string {
    return this.#user;
  }

  /** The queue's target, or what it would be made from. */
  get targetHead(): string {
    return this.#queue ?? this.#user;
  }

  branch(name: string): string | undefined {
    return name === "main" ? this.#user : this.#branches.get(name);
  }

  /** The newest head that the execution checkout of a claim had; undefined for one that was never made. */
  lastHead(project: string, number: number): { base: string; head: string } | undefined {
    return this.#lastHeads.get(`${project} ${number}`);
  }

  checkoutAt(path: string): SimCheckout | undefined {
    return [...this.#checkouts.values()].find((checkout) => checkout.path === path);
  }

  userCommits(files: Readonly<Record<string, string>>): string {
    const tree = new Map([...this.objects.get(this.#user).tree, ...Object.entries(files)]);
    this.#user = this.objects.add({ parents: [this.#user], tree, subject: "The user's commit" }).id;
    this.wake();
    return this.#user;
  }

  /** Merges the queue into the user's branch by hand, the user's content where both changed the same. */
  userMerges(): void {
    const { tree } = this.objects.mergeTrees(this.#user, this.targetHead);
    const parents = [this.#user, this.targetHead];
    this.#user = this.objects.add({ parents, tree, subject: "The user's merge" }).id;
    this.wake();
  }

  /** Takes the user's last commit away, so that the history is another. */
  userRewrites(): void {
    const { parents, tree } = this.objects.get(this.#user);
    this.#user = this.objects.add({ parents, tree, subject: `Rewritten ${this.#user}` }).id;
    this.wake();
  }

  /** Puts the commits that the queue has seen back. */
  userRestores(): void {
    if (this.#taken === undefined || this.objects.isAncestor(this.#taken, this.#user)) return;
    this.#user = this.#taken;
    this.wake();
  }

  /** Commits what is uncommitted and `files` in a checkout, as its session would. */
  commitIn(checkout: SimCheckout, files: Readonly<Record<string, string>>, subject = "Work"): SimCommit {
    const tree = new Map([
      ...this.objects.get(checkout.head).tree,
      ...checkout.dirty,
      ...Object.entries(files),
    ]);
    checkout.dirty.clear();
    return this.commitTree(checkout, [checkout.head], tree, subject);
  }

  /** Has the execution checkout of a claim be one that can't be read any more: nobody can know its head. */
  damage(claim: GitClaim): void {
    const checkout = this.#checkouts.get(checkoutKey(claim, "execute"));
    if (checkout !== undefined) checkout.isDamaged = true;
    this.#lastHeads.delete(`${claim.project} ${claim.number}`);
  }

  commitTree(checkout: SimCheckout, parents: readonly string[], tree: Tree, subject: string): SimCommit {
    const { project, number } = checkout.claim;
    const commit = this.objects.add({ parents, tree, subject, claim: { project, number } });
    checkout.head = commit.id;
    this.#lastHeads.set(`${project} ${number}`, { base: checkout.base, head: commit.id });
    return commit;
  }

  wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }

  /** The operator died: who subscribed hears nothing more. */
  crash(): void {
    this.#wakers.clear();
  }

  // What the operator does

  async target(): Promise<Seen<string>> {
    this.#queue ??= this.#user;
    this.#taken ??= this.#user;
    return { is: "present", value: this.#queue };
  }

  async syncTarget(): Promise<TargetSync> {
    await this.target();
    const { objects } = this;
    const queue = this.targetHead;
    if (this.#taken !== undefined && !objects.isAncestor(this.#taken, this.#user))
      return { is: "rewritten", message: "Branch main was rewritten. Put the commits back." };
    if (this.#taken !== this.#user) {
      const merged = this.#mergeIn(queue, this.#user);
      if (merged === undefined)
        return {
          is: "behind",
          commit: queue,
          reason: "Diverged",
          message: "New commits on main conflict with merged work. Merge the queue into main by hand.",
        };
      this.#queue = merged;
      this.#taken = this.#user;
    }
    const commit = this.targetHead;
    if (this.#user === commit) return { is: "inSync", commit };
    if (this.userIsDirty)
      return {
        is: "behind",
        commit,
        reason: "CheckoutDirty",
        message: "git finds no safe fast-forward of main.",
      };
    const from = this.#user;
    this.#user = commit;
    this.events.followed?.(from, commit);
    this.#taken = commit;
    return { is: "inSync", commit };
  }

  async recordClaim(claim: GitClaim): Promise<void> {
    this.#fence(claim);
    this.#claims.set(claim.project, claim);
  }

  async claimNumber(project: string): Promise<number> {
    return this.#claims.get(project)?.number ?? 0;
  }

  async ensureCheckout(
    claim: GitClaim,
    {
      branch,
      from,
      purpose,
    }: { branch: string; from?: string; identity: CommitIdentity; purpose: "execute" | "review" },
  ): Promise<Checkout> {
    // A review moves no ref, and its claims are counted apart.
    if (purpose === "execute") this.#fence(claim);
    const key = checkoutKey(claim, purpose);
    let checkout = this.#checkouts.get(key);
    if (checkout === undefined) {
      await this.target();
      const base = from ?? this.targetHead;
      this.objects.get(base);
      checkout = {
        path: `/checkouts/${key}`,
        // It is never lost.
        id: key,
        branch,
        base,
        claim: { ...claim },
        head: base,
        dirty: new Map(),
        collected: undefined,
        isDamaged: false,
      };
      this.#checkouts.set(key, checkout);
    }
    return { path: checkout.path, branch: checkout.branch, base: checkout.base, id: checkout.id };
  }

  async checkoutState(claim: GitClaim, purpose: "execute" | "review"): Promise<Seen<CheckoutState>> {
    const checkout = this.#checkouts.get(checkoutKey(claim, purpose));
    if (checkout === undefined) return { is: "absent" };
    const { head, dirty, isDamaged } = checkout;
    if (isDamaged) return damaged;
    const fingerprint = hash(`${head}:${[...dirty].join(";")}`);
    return { is: "present", value: { head, dirty: dirty.size > 0, fingerprint } };
  }

  async saveWork(claim: GitClaim, message: string): Promise<Seen<string>> {
    const checkout = this.#checkouts.get(checkoutKey(claim, "execute"));
    if (checkout === undefined) return { is: "absent" };
    if (checkout.isDamaged) return damaged;
    if (checkout.dirty.size > 0) this.commitIn(checkout, {}, message);
    return { is: "present", value: checkout.head };
  }

  async collect(claim: GitClaim, branch: string): Promise<string> {
    this.#fence(claim);
    const checkout = this.#checkouts.get(checkoutKey(claim, "execute"));
    if (checkout === undefined)
      throw new TerminalError("BranchMissing", `Claim ${claim.number} of ${claim.project} has no checkout.`);
    if (checkout.isDamaged)
      throw new TerminalError("CheckoutDamaged", `Nothing was collected: ${damaged.why}`);
    this.#branches.set(branch, checkout.head);
    checkout.collected = checkout.head;
    this.events.collected?.(claim, branch, checkout.head);
    return checkout.head;
  }

  async release(
    claim: GitClaim,
    purpose: "execute" | "review",
  ): Promise<"removed" | "quarantined" | "absent"> {
    const key = checkoutKey(claim, purpose);
    const checkout = this.#checkouts.get(key);
    if (checkout === undefined) return "absent";
    this.#checkouts.delete(key);
    const { dirty, head, base, collected, isDamaged } = checkout;
    if (!isDamaged && dirty.size === 0 && (head === base || head === collected)) return "removed";
    this.quarantined.push(checkout.path);
    return "quarantined";
  }

  async planMerge({ target, head, message }: MergeRequest): Promise<MergePlan> {
    const { objects } = this;
    const { tree, conflicts } = objects.mergeTrees(target, head);
    const merge = (tip: string, merged: Tree, rebased: boolean): MergePlan => {
      const commit = objects.add({ parents: [target, tip], tree: merged, subject: message });
      return { is: "clean", tree: commit.treeId, commit: commit.id, rebased };
    };
    if (conflicts.length === 0) return merge(head, tree, false);
    const chance = share(`rebase ${target} ${head}`);
    if (chance >= this.rebases) return { is: "conflict", files: conflicts };
    const theirs = objects.get(head).tree;
    const rebased = new Map(tree);
    for (const path of conflicts) rebased.set(path, theirs.get(path) ?? "");
    const tip = objects.add({
      parents: [target],
      tree: rebased,
      subject: `Rebase of ${head}`,
      rebaseOf: head,
    });
    return chance < this.rebases / 2 ? { is: "changed", head: tip.id } : merge(tip.id, rebased, true);
  }

  async swapTarget(from: string, to: string): Promise<boolean> {
    if (this.targetHead !== from) return false;
    this.#queue = this.objects.get(to).id;
    this.events.swapped?.(from, to);
    return true;
  }

  async targetContains(commit: string): Promise<boolean> {
    return this.objects.isAncestor(commit, this.targetHead);
  }

  async commits(base: string, head: string): Promise<readonly { id: string; subject: string }[]> {
    return this.objects.between(base, head).map(({ id, subject }) => ({ id, subject }));
  }

  async changes(
    base: string,
    head: string,
    maxBytes: number,
  ): Promise<{ paths: readonly string[]; patch: string }> {
    const paths = this.objects.changed(this.objects.mergeBase(base, head)?.id, head);
    const { tree } = this.objects.get(head);
    const patch = paths.map((path) => `+${tree.get(path) ?? ""}`).join("\n");
    return { paths, patch: patch.slice(0, maxBytes) };
  }

  subscribe(wake: () => void, signal: AbortSignal): void {
    this.#wakers.add(wake);
    signal.addEventListener("abort", () => this.#wakers.delete(wake), { once: true });
  }

  #fence({ project, number, agent }: GitClaim): void {
    const newest = this.#claims.get(project);
    if (newest === undefined || newest.number < number) return;
    if (newest.number > number || newest.agent !== agent)
      throw new TerminalError(
        "StaleClaim",
        `Claim ${number} of ${project} by ${agent} is stale: ${newest.agent} holds claim ${newest.number}.`,
      );
  }

  #mergeIn(queue: string, user: string): string | undefined {
    const { objects } = this;
    if (objects.isAncestor(user, queue)) return queue;
    if (objects.isAncestor(queue, user)) return user;
    const { tree, conflicts } = objects.mergeTrees(queue, user);
    if (conflicts.length > 0) return undefined;
    return objects.add({ parents: [queue, user], tree, subject: "Merge new commits of main" }).id;
  }
}

const damaged = { is: "unknown", why: "Its HEAD is gone.", isDamaged: true } as const;

function checkoutKey({ agent, project, number }: GitClaim, purpose: string): string {
  return `${purpose}-${agent}-${project}-${number}`;
}
