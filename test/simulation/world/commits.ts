/** Git's objects as the simulated repository knows them: commits that hold whole trees. */
import { hash } from "./hash.ts";

/** Content by path. */
export type Tree = ReadonlyMap<string, string>;

export interface SimCommit {
  /** 40 hexadecimal digits. */
  id: string;
  parents: readonly string[];
  tree: Tree;
  /** Equal for equal content. */
  treeId: string;
  subject: string;
  /** Grows from parents to children. */
  order: number;
  /** The claim that wrote it; undefined for the user's and the operator's own. */
  claim: { project: string; number: number } | undefined;
  /** The commit whose rebase it is. */
  rebaseOf: string | undefined;
}

export type NewCommit = Pick<SimCommit, "parents" | "tree" | "subject"> &
  Partial<Pick<SimCommit, "claim" | "rebaseOf">>;

export class Commits {
  readonly #all = new Map<string, SimCommit>();
  /** A commit's ancestors never change. */
  readonly #ancestors = new Map<string, ReadonlySet<string>>();

  /** The same commit for the same content, however often it is made. */
  add({ parents, tree, subject, claim, rebaseOf }: NewCommit): SimCommit {
    const treeId = treeIdOf(tree);
    const name = `${parents.join()}|${treeId}|${subject}|${claim?.project}|${claim?.number}`;
    const id = `${hash(name)}${hash(`${name}!`)}${hash(`${name}?`).slice(0, 8)}`;
    const known = this.#all.get(id);
    if (known !== undefined) return known;
    const commit: SimCommit = {
      id,
      parents,
      tree,
      treeId,
      subject,
      order: this.#all.size,
      claim,
      rebaseOf,
    };
    this.#all.set(id, commit);
    return commit;
  }

  /** @throws Error for a commit that nobody made */
  get(id: string): SimCommit {
    const commit = this.#all.get(id);
    if (commit === undefined) throw new Error(`There is no commit ${id}.`);
    return commit;
  }

  has(id: string): boolean {
    return this.#all.has(id);
  }

  /** Whether `ancestor` is `of` or one of its ancestors. */
  isAncestor(ancestor: string, of: string): boolean {
    return this.has(ancestor) && this.#reach(of).has(ancestor);
  }

  /** Commits of `base..head`, newest first. */
  between(base: string, head: string): readonly SimCommit[] {
    const excluded = this.has(base) ? this.#reach(base) : new Set<string>();
    return [...this.#reach(head)]
      .filter((id) => !excluded.has(id))
      .map((id) => this.get(id))
      .sort((a, b) => b.order - a.order);
  }

  /** The newest commit that both contain; undefined for unrelated histories. */
  mergeBase(a: string, b: string): SimCommit | undefined {
    const mine = this.#reach(a);
    let newest: SimCommit | undefined;
    for (const id of this.#reach(b)) {
      if (!mine.has(id)) continue;
      const commit = this.get(id);
      if (newest === undefined || commit.order > newest.order) newest = commit;
    }
    return newest;
  }

  /** `ours` and `theirs` put together, and the paths where both changed the same differently. */
  mergeTrees(ours: string, theirs: string): { tree: Tree; conflicts: readonly string[] } {
    const base = this.mergeBase(ours, theirs)?.tree ?? new Map<string, string>();
    const left = this.get(ours).tree;
    const right = this.get(theirs).tree;
    const tree = new Map(left);
    const conflicts: string[] = [];
    for (const path of new Set([...base.keys(), ...right.keys()])) {
      const [was, mine, other] = [base.get(path), left.get(path), right.get(path)];
      if (mine === other || other === was) continue;
      if (mine !== was) conflicts.push(path);
      else if (other === undefined) tree.delete(path);
      else tree.set(path, other);
    }
    return { tree, conflicts: conflicts.sort() };
  }

  /** Paths in which two commits differ. */
  changed(from: string | undefined, to: string): readonly string[] {
    const before = from === undefined || !this.has(from) ? new Map<string, string>() : this.get(from).tree;
    const after = this.get(to).tree;
    return [...new Set([...before.keys(), ...after.keys()])]
      .filter((path) => before.get(path) !== after.get(path))
      .sort();
  }

  /** `from` and all its ancestors. */
  #reach(from: string): ReadonlySet<string> {
    const known = this.#ancestors.get(from);
    if (known !== undefined) return known;
    const seen = new Set<string>();
    const open = [from];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      open.push(...this.get(id).parents);
    }
    this.#ancestors.set(from, seen);
    return seen;
  }
}

/** Equal for equal content, whatever the order of paths. */
function treeIdOf(tree: Tree): string {
  const paths = [...tree].map(([path, content]) => `${path}=${content}`).sort();
  return hash(paths.join("\n"));
}
