import { readCommit } from "./commit.ts";
import type { ObjectReader } from "./object-reader.ts";
import { relate } from "./relation.ts";
import { treeDiff } from "./tree-diff.ts";

/**
 * Whether all that `head` leads to certainly is there, given that all that `base` leads to is: what
 * `git rev-list --objects head --not base` finds out. Only what each commit changes is looked at, since the rest of its tree
 * is its first parent's.
 *
 * @returns false also where only git can say so
 */
export async function isComplete(reader: ObjectReader, base: string, head: string): Promise<boolean> {
  const relation = await relate(reader, base, head);
  if (relation === undefined) return false;
  for (const { tree, parents } of relation.between) {
    const [first] = parents;
    const parent = first === undefined ? undefined : await readCommit(reader, first);
    if (first !== undefined && parent === undefined) return false;
    const changes = await treeDiff(reader, parent?.tree, tree);
    if (changes === undefined) return false;
    const blobs = changes.flatMap(({ after }) =>
      after === undefined || after.mode === submodule ? [] : after.blob,
    );
    const found = await Promise.all([...new Set(blobs)].map((blob) => reader.id(blob)));
    if (found.includes(undefined)) return false;
  }
  return true;
}

/** The mode of a commit of another repository, which need not be here. */
const submodule = "160000";
