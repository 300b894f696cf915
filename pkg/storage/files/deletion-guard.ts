/** Decides when an object that is gone from the files may go itself. */

/** How long an object must be missing, in milliseconds. */
const missingMsMin = 5_000;
/** More than so many missing at once are held. */
const missingCountMax = 5;

export interface Observation {
  /** Ids of the objects that are missing now. */
  missing: readonly string[];
  /** How many objects the folder declares, the missing ones included. */
  total: number;
  /** HEAD of the user's repository. */
  head: string | undefined;
  /** Milliseconds that only grow. */
  elapsed: number;
}

export interface Verdict {
  delete: readonly string[];
  /** Kept until a person accepts it, and why. */
  held: readonly { id: string; why: string }[];
  /** Milliseconds until another one may be decided on; undefined: none waits. */
  nextMs: number | undefined;
}

export interface DeletionGuard {
  look(observation: Observation): Verdict;
}

export function deletionGuard(): DeletionGuard {
  const since = new Map<string, { elapsed: number; head: string | undefined }>();
  let lastHead: { head: string | undefined } | undefined;

  return {
    look({ missing, total, head, elapsed }) {
      // A branch switch changes files and HEAD in an order that is git's: what was HEAD at the last look counts.
      const before = lastHead ?? { head };
      lastHead = { head };
      for (const id of since.keys()) if (!missing.includes(id)) since.delete(id);
      for (const id of missing) if (!since.has(id)) since.set(id, { elapsed, head: before.head });

      const tooMany = missing.length > missingCountMax || missing.length > total / 2;
      const verdict = { delete: [] as string[], held: [] as { id: string; why: string }[] };
      let nextMs: number | undefined;
      for (const [id, first] of since) {
        const leftMs = first.elapsed + missingMsMin - elapsed;
        if (leftMs > 0) nextMs = Math.min(nextMs ?? leftMs, leftMs);
        else if (first.head !== head)
          verdict.held.push({ id, why: "HEAD of the repository moved meanwhile" });
        else if (tooMany) {
          const why = `${missing.length} of ${total} objects are missing, and more than ${missingCountMax} or half is no ordinary edit`;
          verdict.held.push({ id, why });
        } else verdict.delete.push(id);
      }
      return { ...verdict, nextMs };
    },
  };
}
