import { TransientError } from "../runtime/errors.ts";
import { shellWord } from "../system/shell-word.ts";
import { fastForward } from "./fast-forward.ts";
import type { Git, GitPlace } from "./git.ts";
import type { TargetRefs } from "./layout.ts";
import { identityEnvironment, isAncestor, mergeTrees } from "./plan-merge.ts";
import { changeRefs, readRef } from "./refs.ts";
import type { Seen, TargetSync } from "./repository.ts";
import { holdersOf, howToFree } from "./worktrees.ts";

export interface TargetOptions {
  git: Git;
  repository: GitPlace;
  objects: GitPlace;
  refs: TargetRefs;
  targetBranch: string;
  /** Folder for files that nothing needs after a restart. */
  temporary: string;
}

const bosun = { name: "Bosun", email: "bosun@localhost" };

/** The queue's own ref, and the user's branch that follows it. */
export class Target {
  readonly #o: TargetOptions;

  constructor(options: TargetOptions) {
    this.#o = options;
  }

  async read(): Promise<Seen<string>> {
    const { git, repository, refs, targetBranch } = this.#o;
    const queue = await readRef(git, repository, refs.queue);
    if (queue !== undefined) return { is: "present", value: queue };
    const source = await readRef(git, repository, refs.source);
    if (source === undefined) return { is: "absent" };
    const seen = await readRef(git, repository, refs.seen);
    const made = await changeRefs(
      git,
      repository,
      [
        { do: "move", ref: refs.queue, from: undefined, to: source },
        { do: "move", ref: refs.seen, from: seen, to: source },
      ],
      `start the queue of ${targetBranch}`,
    );
    return made
      ? { is: "present", value: source }
      : { is: "unknown", why: `${refs.queue} was made meanwhile.` };
  }

  swap(from: string, to: string): Promise<boolean> {
    const { git, repository, refs } = this.#o;
    return changeRefs(git, repository, [{ do: "move", ref: refs.queue, from, to }], "merge");
  }

  async sync(): Promise<TargetSync> {
    const { git, repository, refs, targetBranch } = this.#o;
    const queue = await this.read();
    const source = await readRef(git, repository, refs.source);
    if (queue.is === "absent" || source === undefined) {
      return {
        is: "rewritten",
        message: `Branch ${targetBranch} is gone. Create it again, or change the target.`,
      };
    }
    if (queue.is === "unknown") throw new TransientError("TargetMoved", queue.why);

    const seen = await readRef(git, repository, refs.seen);
    if (seen !== undefined && !(await this.#contains(source, seen))) {
      return { is: "rewritten", message: rewritten(targetBranch, { seen, source, queue: refs.queue }) };
    }
    const taken = await this.#takeIn(queue.value, source, seen);
    return taken.is === "taken" ? this.#follow(taken.commit, source) : taken;
  }

  /** Makes the user's new commits part of the queue. */
  async #takeIn(
    queue: string,
    source: string,
    seen: string | undefined,
  ): Promise<{ is: "taken"; commit: string } | TargetSync> {
    const { git, repository, refs, targetBranch } = this.#o;
    if (seen === source) return { is: "taken", commit: queue };
    const merged = await this.#merged(queue, source);
    if (merged.is === "conflict") {
      const files = merged.files.slice(0, 10).join(", ");
      const message =
        `New commits on ${targetBranch} conflict with merged work in: ${files}. ` +
        `Merge ${refs.queue} into ${targetBranch} by hand.`;
      return { is: "behind", commit: queue, reason: "Diverged", message };
    }
    const moved = await changeRefs(
      git,
      repository,
      [
        { do: "move", ref: refs.queue, from: queue, to: merged.commit },
        { do: "move", ref: refs.seen, from: seen, to: source },
      ],
      `take in ${targetBranch}`,
    );
    if (!moved)
      throw new TransientError("TargetMoved", `${refs.queue} moved while ${targetBranch} was taken in.`);
    return { is: "taken", commit: merged.commit };
  }

  async #merged(
    queue: string,
    source: string,
  ): Promise<{ is: "clean"; commit: string } | { is: "conflict"; files: readonly string[] }> {
    if (await this.#contains(queue, source)) return { is: "clean", commit: queue };
    if (await this.#contains(source, queue)) return { is: "clean", commit: source };
    const { git, objects, targetBranch } = this.#o;
    const merged = await mergeTrees(git, objects, queue, source);
    if (merged.is === "conflict") return merged;
    // Dated by the newest of both, so that a repeat after a crash gives the same commit.
    const newest = await git.text(objects, ["log", "-1", "--no-walk=sorted", "--format=%ct", queue, source]);
    const commit = await git.text(
      objects,
      ["commit-tree", merged.tree, "-p", queue, "-p", source, "-m", `Merge new commits of ${targetBranch}`],
      { env: identityEnvironment(bosun, Number(newest)) },
    );
    return { is: "clean", commit };
  }

  /** Lets the followed branch catch up with `commit`, if git finds that safe; the user's was last seen at `source`. */
  async #follow(commit: string, source: string): Promise<TargetSync> {
    const { git, repository, refs, temporary } = this.#o;
    const branch = refs.followed.replace("refs/heads/", "");
    const before = await readRef(git, repository, refs.followed);
    // A person moved it since: back perhaps, and then a fast-forward would undo that.
    if (refs.followed === refs.source && before !== source)
      throw new TransientError("BranchMoved", `${branch} moved while it was to follow the queue.`);
    if (before === commit) return this.#inSync(commit);
    if (before !== undefined && !(await this.#contains(commit, before))) {
      // What a rehearsal merges into is nobody's own work, and after a new start of the queue it is the old one's.
      const remedy =
        refs.followed === refs.source
          ? "Merge or remove them."
          : `Merge them, or let it begin again from the queue: git branch --force ${shellWord(branch)} ${shellWord(refs.queue)}`;
      const message = `${branch} has commits that the queue does not have. ${remedy}`;
      return { is: "behind", commit, reason: "Diverged", message };
    }
    const holders = await holdersOf(git, repository, refs.followed);
    const busy = holders.find((holder) => holder.how === "busy");
    if (busy !== undefined) {
      const message = `A rebase or bisect of ${branch} goes on in ${busy.path}. End it and ${branch} follows.`;
      return { is: "behind", commit, reason: "CheckoutDirty", message };
    }
    const gone = holders.find((holder) => holder.how === "gone");
    if (gone !== undefined) {
      const message = `${branch} is checked out at ${gone.path}. ${howToFree(gone)}`;
      return { is: "behind", commit, reason: "CheckoutDirty", message };
    }
    const [holder, second] = holders;
    if (holder === undefined) {
      const change = { do: "move", ref: refs.followed, from: before, to: commit } as const;
      if (await changeRefs(git, repository, [change], "follow the queue")) return this.#inSync(commit);
      throw new TransientError("BranchMoved", `${branch} moved while it was to follow the queue.`);
    }
    if (second !== undefined) {
      const message = `${branch} is checked out at ${holder.path} and at ${second.path}. Leave it in one of them.`;
      return { is: "behind", commit, reason: "CheckoutDirty", message };
    }
    // This moves no ref by a transaction, so the guard is looked at right before.
    await changeRefs(git, repository, [], "follow the queue");
    const refused = await fastForward(git, { path: holder.path, ref: refs.followed, commit, temporary });
    if ((await readRef(git, repository, refs.followed)) === commit) return this.#inSync(commit);
    const said = refused ?? "it moved meanwhile";
    const message = `git finds no safe fast-forward of ${branch} in ${holder.path}: ${said}`;
    return { is: "behind", commit, reason: "CheckoutDirty", message };
  }

  /** Remembers that the user's branch holds `commit`, so that taking it away again is noticed. */
  async #inSync(commit: string): Promise<TargetSync> {
    const { git, repository, refs } = this.#o;
    if (refs.followed === refs.source) {
      const seen = await readRef(git, repository, refs.seen);
      const change = { do: "move", ref: refs.seen, from: seen, to: commit } as const;
      if (seen !== commit) await changeRefs(git, repository, [change], "follow the queue");
    }
    return { is: "inSync", commit };
  }

  #contains(commit: string, ancestor: string): Promise<boolean> {
    return isAncestor(this.#o.git, this.#o.objects, ancestor, commit);
  }
}

function rewritten(branch: string, at: { seen: string; source: string; queue: string }): string {
  return (
    `Branch ${branch} was rewritten: it was at ${at.seen.slice(0, 12)} and is at ${at.source.slice(0, 12)}, which ` +
    `does not contain it. Put the commits back, or start the queue again from the branch as it is: ` +
    `git update-ref -d ${shellWord(at.queue)}`
  );
}
