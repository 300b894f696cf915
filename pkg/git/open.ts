import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { remembered } from "../quality/remembered.ts";
import type { Clock } from "../runtime/clock.ts";
import { TerminalError } from "../runtime/errors.ts";
import { commonGitDirectory, ownGitDirectory, workspacePlaces } from "../sandbox/places.ts";
import { Checkouts, type CheckoutsOptions } from "./checkouts.ts";
import { Claims } from "./claims.ts";
import { collect } from "./collect.ts";
import { followMove } from "./follow-move.ts";
import { type GitPlace, gitBy } from "./git.ts";
import { commitsBetween, patchSince } from "./history.ts";
import { checkoutName, layoutOf, type Purpose, targetRefs } from "./layout.ts";
import { makeOperatorDirectory } from "./operator-directory.ts";
import { hasOperatorRef, takeRefs } from "./operator-ref.ts";
import { isAncestor, planMerge } from "./plan-merge.ts";
import type { RunProcess } from "./process.ts";
import type { GitClaim, KeepsWork, MergeRequest, Repository } from "./repository.ts";
import { Serial } from "./serial.ts";
import { removeStaleLocks } from "./stale-locks.ts";
import { Target } from "./target.ts";
import { watchRef } from "./watch-ref.ts";

/** The queue tries those in it one after the other; few wait at a time. */
const plansKept = 20;

export interface OpenRepositoryOptions {
  /** Work tree of the user. */
  repositoryPath: string;
  /** `$XDG_STATE_HOME/bosun/<workspace uid>`; must not lie in the repository. */
  stateDirectory: string;
  /** `main`, without `refs/heads/`. */
  targetBranch: string;
  /** A rehearsal merges into `rehearsal/<target>` and never touches the target. */
  mode: "real" | "rehearsal";
  clock: Clock;
  /** The operator's, from its lock: with it nothing that an earlier operator still does moves a ref. */
  term?: number;
  /**
   * Puts files that git ignores into a checkout before an agent sees it, and says which, as relative paths. They
   * count as no change, and in no commit, as long as nobody adds them.
   */
  fill?(checkout: string): Promise<readonly string[]>;
  /** Whether git that reads an agent's checkout runs in the sandbox. */
  sandbox: "bubblewrap" | "off";
  /** Starts git; the real one when left out. */
  runGit?: RunProcess;
  /** Told at named points where a test may crash the operator; `ref-swapped` right after a target swap. */
  failpoints?: { hit(name: string): void };
}

/**
 * The user's repository by real git, 2.38 or newer. See `docs/git.md` for what is trusted and why.
 *
 * @throws TerminalError StateInsideRepository when checkouts would lie beneath the repository; TakenOver when a later
 *   operator has it
 */
export async function openRepository(options: OpenRepositoryOptions): Promise<Repository & KeepsWork> {
  const { repositoryPath, stateDirectory, targetBranch, clock } = options;
  if (`${stateDirectory}/`.startsWith(`${repositoryPath}/`)) {
    throw new TerminalError(
      "StateInsideRepository",
      `The state folder ${stateDirectory} lies in the repository ${repositoryPath}. Set XDG_STATE_HOME elsewhere.`,
    );
  }
  const git = gitBy(options.runGit);
  const layout = layoutOf(stateDirectory);
  const unguarded = placeOf(repositoryPath);
  const objectDirectory = join(unguarded.gitDirectory, "objects");
  await mkdir(stateDirectory, { recursive: true });
  await rm(layout.temporary, { recursive: true, force: true });
  const objects: GitPlace = { gitDirectory: layout.operator, objects: objectDirectory };

  await removeStaleLocks(unguarded.gitDirectory, clock.now());
  await followMove(layout, objectDirectory, { isKnown: () => hasOperatorRef(git, unguarded) });
  const { term } = options;
  // The one works on the operator's own git directory, the other on the user's.
  const [, guard] = await Promise.all([
    makeOperatorDirectory(git, layout.operator),
    term === undefined ? undefined : takeRefs(git, unguarded, term),
  ]);
  const repository: GitPlace = guard === undefined ? unguarded : { ...unguarded, guard };

  const claims = new Claims(git, repository);
  const places = workspacePlaces({ repositoryPath, stateDirectory });
  const checkoutsOptions: CheckoutsOptions = {
    git,
    repository,
    objects,
    objectDirectory,
    layout,
    claims,
    targetBranch,
    sandbox: options.sandbox === "off" ? undefined : places,
    fill: options.fill,
  };
  const checkouts = new Checkouts(checkoutsOptions);
  const refs = targetRefs(targetBranch, options.mode);
  const target = new Target({ git, repository, objects, refs, targetBranch, temporary: layout.temporary });
  // One thing at a time on one checkout, and on the target; git's own locks guard against other processes.
  const serial = new Serial();
  const inCheckout = <T>(claim: GitClaim, purpose: Purpose, work: () => Promise<T>) =>
    serial.run(checkoutName(claim, purpose), work);

  const planned = remembered((request: MergeRequest) => planMerge(git, objects, request), plansKept);

  return {
    target: () => serial.run(refs.queue, () => target.read()),
    syncTarget: () => serial.run(refs.queue, () => target.sync()),
    swapTarget: (from, to) =>
      serial.run(refs.queue, async () => {
        const swapped = await target.swap(from, to);
        if (swapped) options.failpoints?.hit("ref-swapped");
        return swapped;
      }),
    recordClaim: (claim) => serial.run(`claim ${claim.project}`, () => claims.record(claim)),
    claimNumber: async (project) => (await claims.read(project))?.number ?? 0,
    ensureCheckout: (claim, { from, ...rest }) =>
      inCheckout(claim, rest.purpose, async () =>
        checkouts.ensure(claim, { ...rest, from: from ?? (await requireTarget()) }),
      ),
    checkoutState: (claim, purpose) => inCheckout(claim, purpose, () => checkouts.state(claim, purpose)),
    saveWork: (claim, message, identity) =>
      inCheckout(claim, "execute", () =>
        checkouts.save(claim, message, { identity, dateSeconds: Math.floor(clock.now() / 1000) }),
      ),
    keepWork: (claim, session, identity) =>
      inCheckout(claim, "execute", () =>
        checkouts.keep(claim, session, { identity, dateSeconds: Math.floor(clock.now() / 1000) }),
      ),
    collect: (claim, branch) =>
      inCheckout(claim, "execute", () =>
        collect(checkoutsOptions, checkouts.locate(claim, "execute"), { claim, branch }),
      ),
    release: (claim, purpose) => inCheckout(claim, purpose, () => checkouts.release(claim, purpose)),
    planMerge: async (request) => {
      // The queue looks several times at one merge. What was planned before may have been pruned since.
      const plan = await planned(request);
      const made = plan.is === "clean" ? plan.commit : plan.is === "changed" ? plan.head : undefined;
      if (made === undefined || (await git.reader(objects).id(made)) !== undefined) return plan;
      return planMerge(git, objects, request);
    },
    targetContains: async (commit) => {
      const at = await target.read();
      return at.is === "present" && isAncestor(git, objects, commit, at.value);
    },
    commits: (base, head) => commitsBetween(git, objects, base, head),
    changes: (base, head, maxBytes) => patchSince(git, objects, { base, head, maxBytes }),
    subscribe: (wake, signal) => watchRef(repository.gitDirectory, refs.source, { wake, signal }),
  };

  async function requireTarget(): Promise<string> {
    const at = await target.read();
    if (at.is === "present") return at.value;
    throw new TerminalError(
      "TargetMissing",
      `Branch ${targetBranch} does not exist. Create it with a first commit.`,
    );
  }
}

function placeOf(repositoryPath: string): GitPlace {
  const gitDirectory = commonGitDirectory(repositoryPath);
  const isMain = ownGitDirectory(repositoryPath) === gitDirectory;
  return isMain ? { gitDirectory, mainWorkTree: repositoryPath } : { gitDirectory };
}
