/**
 * The user's repository and the checkouts, as controllers see them. Only this moves refs. Every method is safe to
 * repeat after a crash.
 */

/** The claim that fences a move: `refs/bosun/claims/<project>` holds its number. */
export interface GitClaim {
  /** Name of the Project. */
  project: string;
  /** Grows by one at each claim of that project. */
  number: number;
  agent: string;
}

/** Where a claim's checkout is, and what it started from. */
export interface Checkout {
  /** Absolute path, outside the repository. */
  path: string;
  /** `agent-1/project-101`; empty for a detached review checkout. */
  branch: string;
  /** Commit it started from. */
  base: string;
  /** Another one each time that it is made: a checkout that was lost is made again under its name. */
  id: string;
}

export interface CheckoutState {
  head: string;
  /** Something is uncommitted. */
  dirty: boolean;
  /** Changes whenever HEAD or `git status` does; says nothing else. */
  fingerprint: string;
}

export type Seen<T> =
  | { is: "present"; value: T }
  | { is: "absent" }
  /** `isDamaged`: it stays unknown, whoever looks again. */
  | { is: "unknown"; why: string; isDamaged?: true };

/** A merge of `head` into the target, made without a checkout. */
export type MergePlan =
  /** `tree` is what the target's tree becomes; `commit` is the merge commit, its second parent `head` (or its rebase). */
  | { is: "clean"; tree: string; commit: string; rebased: boolean }
  /** Rebase was tried and changed a patch id: review again at `head`. */
  | { is: "changed"; head: string }
  | { is: "conflict"; files: readonly string[] };

export type TargetSync =
  | { is: "inSync"; commit: string }
  /** The queue goes on; the user's branch waits. `reason` is CheckoutDirty, Diverged, ... */
  | { is: "behind"; commit: string; reason: "CheckoutDirty" | "Diverged"; message: string }
  /** The user's branch was rewritten: the queue stops. */
  | { is: "rewritten"; message: string };

export interface CommitIdentity {
  name: string;
  email: string;
}

export interface Repository {
  /** Commit of the queue's own target ref; made from the user's branch where it is missing. */
  target(): Promise<Seen<string>>;
  /** Merges new commits of the user into the queue's ref, then lets the user's branch follow by fast-forward. */
  syncTarget(): Promise<TargetSync>;
  /**
   * Mirrors a claim to its ref. A ref with a higher number stays.
   *
   * @throws TerminalError StaleClaim when the ref holds a higher number
   */
  recordClaim(claim: GitClaim): Promise<void>;
  /** Highest claim number the ref has; 0 for none. */
  claimNumber(project: string): Promise<number>;
  /**
   * The checkout of a claim, made if missing, at `from` (default: the target), on `branch`. One that is there is as it was,
   * but for locks that a killed git left: so no process of its agent may be alive.
   *
   * @param options.branch - empty: detached at `from`, for a review
   */
  ensureCheckout(
    claim: GitClaim,
    options: { branch: string; from?: string; identity: CommitIdentity; purpose: "execute" | "review" },
  ): Promise<Checkout>;
  checkoutState(claim: GitClaim, purpose: "execute" | "review"): Promise<Seen<CheckoutState>>;
  /** Commits whatever is uncommitted in an execution checkout, with the operator's own index; returns HEAD. */
  saveWork(claim: GitClaim, message: string, identity: CommitIdentity): Promise<Seen<string>>;
  /**
   * Fetches the branch from the claim's checkout into the user's repository, fenced by the claim's ref.
   *
   * @returns the commit the branch has now
   * @throws TerminalError StaleClaim when a newer claim exists, CheckoutDamaged when its checkout can't be read, BranchMissing
   *   when it has no such branch; nothing was moved then
   */
  collect(claim: GitClaim, branch: string): Promise<string>;
  /** Removes a clean, collected checkout; anything else is quarantined, never deleted. */
  release(claim: GitClaim, purpose: "execute" | "review"): Promise<"removed" | "quarantined" | "absent">;
  /** How `head` would become part of `target`. Same inputs, same commit id. */
  planMerge(request: MergeRequest): Promise<MergePlan>;
  /**
   * Moves the queue's target ref from `from` to `to`.
   *
   * @returns false when it was elsewhere; nothing was moved then
   */
  swapTarget(from: string, to: string): Promise<boolean>;
  /** Whether `commit` is the target or an ancestor of it. */
  targetContains(commit: string): Promise<boolean>;
  /** Commits of `base..head`, newest first. */
  commits(base: string, head: string): Promise<readonly { id: string; subject: string }[]>;
  /** What `head` changes since it left `base`: paths, and the patch cut to `maxBytes`. */
  changes(base: string, head: string, maxBytes: number): Promise<{ paths: readonly string[]; patch: string }>;
  /** Calls `wake` when the user's branch or HEAD may have moved. */
  subscribe(wake: () => void, signal: AbortSignal): void;
}

/** What is done for work that an emergency stop has cut short, outside of what controllers decide. */
export interface KeepsWork {
  /**
   * Keeps all that an execution checkout holds and git does not ignore, committed or not, in `refs/bosun/wip/<session>`.
   * Nothing in the checkout changes and no branch moves. Should the checkout be lost, `ensureCheckout` makes it from
   * that; `release` of a checkout that holds nothing more than the repository removes the ref. Nobody may work in the
   * checkout meanwhile.
   *
   * @returns the commit
   */
  keepWork(claim: GitClaim, session: string, identity: CommitIdentity): Promise<Seen<string>>;
}

export interface MergeRequest {
  target: string;
  head: string;
  /** Subject and body with the trailers that trace it to project, review and agent. */
  message: string;
  identity: CommitIdentity;
  /** Author and committer date of the merge, seconds since the epoch, so that a repeat gives the same id. */
  dateSeconds: number;
}
