/** What git's history says, answered out of few commits that are read one by one, without a process for each question. */
import { type Commit, readCommit } from "./commit.ts";
import type { ObjectReader } from "./object-reader.ts";

/** How two commits are related. */
export interface Relation {
  /** Commits that `to` has and `from` has not, parents before children. */
  between: readonly Commit[];
  /** Commits that both have and that no other such commit descends from; none where they share nothing. */
  bases: readonly string[];
}

/** A longer way is left to git, which may have an index of the whole history. */
const commitsMax = 100;

/**
 * How `to` came to differ from `from`, both full ids.
 *
 * The newest of the commits that were met is looked at next, until one alone is left and both lead to it: whatever else
 * the two have lies behind that one, unless the beginning of a history was met before. By dates that are wrong a commit
 * may be looked at before its child: each that leads on to the one that is left does not lie behind it, and the others
 * lead to a beginning. Then all is looked at. So this holds whatever the dates say; by them the way is short.
 *
 * @returns undefined where git has to be asked: the way is long, or a commit can't be read
 */
export async function relate(reader: ObjectReader, from: string, to: string): Promise<Relation | undefined> {
  const seen = new Map<string, Commit>();
  const ahead = new Map<string, Commit>();
  let hasBeginning = false;
  const meet = async (ids: readonly string[]): Promise<boolean> => {
    const news = ids.filter((id) => !seen.has(id) && !ahead.has(id));
    const commits = await Promise.all(news.map((id) => readCommit(reader, id)));
    for (const commit of commits) if (commit !== undefined) ahead.set(commit.id, commit);
    return !commits.includes(undefined);
  };
  if (!(await meet(from === to ? [from] : [from, to]))) return undefined;
  for (;;) {
    const newest = newestOf(ahead.values());
    if (newest === undefined || (ahead.size === 1 && !hasBeginning)) {
      const known = newest === undefined ? seen : new Map(seen).set(newest.id, { ...newest, parents: [] });
      const [ofFrom, ofTo] = [historyOf(known, from), historyOf(known, to)];
      if (newest === undefined || (ofFrom.has(newest.id) && ofTo.has(newest.id)))
        return relation(known, ofFrom, ofTo);
    }
    if (seen.size === commitsMax) return undefined;
    ahead.delete(newest.id);
    seen.set(newest.id, newest);
    hasBeginning ||= newest.parents.length === 0;
    if (!(await meet(newest.parents))) return undefined;
  }
}

function newestOf(commits: Iterable<Commit>): Commit | undefined {
  let newest: Commit | undefined;
  for (const commit of commits) if (newest === undefined || commit.time > newest.time) newest = commit;
  return newest;
}

function relation(
  commits: ReadonlyMap<string, Commit>,
  ofFrom: ReadonlySet<string>,
  ofTo: ReadonlySet<string>,
): Relation {
  const common = [...ofTo].filter((id) => ofFrom.has(id));
  // What a common commit has before it is common too.
  const before = new Set(common.flatMap((id) => commits.get(id)?.parents ?? []));
  return {
    between: [...ofTo].flatMap((id) => (ofFrom.has(id) ? [] : (commits.get(id) ?? []))),
    bases: common.filter((id) => !before.has(id)),
  };
}

/** `head` and all that leads to it, parents before children. */
function historyOf(commits: ReadonlyMap<string, Commit>, head: string): ReadonlySet<string> {
  const history = new Set<string>();
  const add = (id: string): void => {
    if (history.has(id)) return;
    for (const parent of commits.get(id)?.parents ?? []) add(parent);
    history.add(id);
  };
  add(head);
  return history;
}
