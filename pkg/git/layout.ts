import { join } from "node:path";
import type { GitClaim } from "./repository.ts";

export type Purpose = "execute" | "review";

/** Where the operator keeps things below its state folder, and what its refs are called. */
export interface Layout {
  checkouts: string;
  quarantine: string;
  /** The operator's own git directories for checkouts: configuration, index and HEAD no agent can write. */
  gitDirectories: string;
  /** Files on their way in or out; nothing in it outlives a restart. */
  temporary: string;
  /** The operator's own git directory for work on objects of the user's repository. */
  operator: string;
  /** Names the object folder that checkouts borrow from. */
  lender: string;
}

/** The folders beneath the workspace's state folder. None is made. */
export function layoutOf(stateDirectory: string): Layout {
  return {
    checkouts: join(stateDirectory, "checkouts"),
    quarantine: join(stateDirectory, "quarantine"),
    gitDirectories: join(stateDirectory, "git"),
    temporary: join(stateDirectory, "temporary"),
    operator: join(stateDirectory, "operator.git"),
    lender: join(stateDirectory, "lender"),
  };
}

/** `agent-1-retry-uploads-3`, for a review `agent-7-retry-uploads-3-review`. */
export function checkoutName(claim: GitClaim, purpose: Purpose): string {
  const name = `${claim.agent}-${claim.project}-${claim.number}`;
  return purpose === "review" ? `${name}-review` : name;
}

/** Git refuses a ref that ends in `.lock`; a Project may have such a name. */
export function claimRef(project: string): string {
  return `refs/bosun/claims/${project.replace(/\.lock$/, "%2Elock")}`;
}

/** Of refs that go with a checkout. */
export const keepPrefix = "refs/bosun/keep/";

/** The ref that holds the commit a checkout started from, against git's gc. */
export function keepRef(claim: GitClaim, purpose: Purpose): string {
  const name = `${keepPrefix}${claim.project}-${claim.number}`;
  return purpose === "review" ? `${name}-${claim.agent}-review` : name;
}

/** The refs of a target: a rehearsal has its own and leaves the target alone. */
export interface TargetRefs {
  /** The queue's. */
  queue: string;
  /** The user's branch whose new commits the queue takes in. */
  source: string;
  /** The branch that follows the queue: the source, but not in a rehearsal. */
  followed: string;
  /** Where the source was when the queue last took it in: what tells a rewritten branch. */
  seen: string;
}

/** @param targetBranch - its name, without `refs/heads/` */
export function targetRefs(targetBranch: string, mode: "real" | "rehearsal"): TargetRefs {
  const source = `refs/heads/${targetBranch}`;
  return mode === "real"
    ? {
        source,
        followed: source,
        queue: `refs/bosun/target/${targetBranch}`,
        seen: `refs/bosun/seen/${targetBranch}`,
      }
    : {
        source,
        followed: `refs/heads/rehearsal/${targetBranch}`,
        queue: `refs/bosun/rehearsal/target/${targetBranch}`,
        seen: `refs/bosun/rehearsal/seen/${targetBranch}`,
      };
}
