import type { ObjectReader } from "./object-reader.ts";

/** A commit as its object has it. */
export interface Commit {
  id: string;
  tree: string;
  parents: readonly string[];
  /** When it was committed, seconds since the epoch. */
  time: number;
  message: string;
}

/** @returns undefined for what is no commit under its full id, can't be read, or is not in UTF-8: git knows better */
export async function readCommit(reader: ObjectReader, id: string): Promise<Commit | undefined> {
  const found = await reader.object(id);
  if (found?.type !== "commit" || found.id !== id) return undefined;
  const text = found.content.toString("utf8");
  // The headers end at the first empty line; a message may have lines that look like one.
  const end = text.indexOf("\n\n");
  const headers = (end === -1 ? text : text.slice(0, end)).split("\n");
  const valuesOf = (pattern: RegExp): readonly string[] =>
    headers.flatMap((line) => pattern.exec(line)?.[1] ?? []);
  const [tree] = valuesOf(/^tree ([0-9a-f]{40})$/);
  const [time] = valuesOf(/^committer .* (\d+) [+-]\d{4}$/);
  if (tree === undefined || time === undefined || headers.some((line) => line.startsWith("encoding ")))
    return undefined;
  const parents = valuesOf(/^parent ([0-9a-f]{40})$/);
  return { id, tree, parents, time: Number(time), message: end === -1 ? "" : text.slice(end + 2) };
}
