/** Which files commits change: out of their trees where these can be read, else by git. */
import type { FileChange, FileVersion } from "../quality/commit-source.ts";
import { readCommit } from "./commit.ts";
import type { Git, GitPlace } from "./git.ts";
import { relate } from "./relation.ts";
import { treeDiff } from "./tree-diff.ts";

const raw = ["--raw", "-r", "-z", "--no-renames", "--no-abbrev"];

/** What `commit` has otherwise than `parent`; all that it has, where that is undefined. */
export async function changesFrom(
  git: Git,
  place: GitPlace,
  parent: string | undefined,
  commit: string,
): Promise<readonly FileChange[]> {
  const known = await readChanges(git, place, parent, commit);
  if (known !== undefined) return known;
  const what = parent === undefined ? ["--root", "--no-commit-id", ...raw, commit] : [...raw, parent, commit];
  return parseRaw(await git.text(place, ["diff-tree", ...what]));
}

/** What `head` changes since it left `base`. */
export async function changesSince(
  git: Git,
  place: GitPlace,
  base: string,
  head: string,
): Promise<readonly FileChange[]> {
  // Of several common commits git chooses one.
  const [common, ...more] = (await relate(git.reader(place), base, head))?.bases ?? [];
  const known =
    common === undefined || more.length > 0 ? undefined : await readChanges(git, place, common, head);
  return known ?? parseRaw(await git.text(place, ["diff", ...raw, `${base}...${head}`]));
}

async function readChanges(
  git: Git,
  place: GitPlace,
  from: string | undefined,
  to: string,
): Promise<readonly FileChange[] | undefined> {
  const reader = git.reader(place);
  const before = from === undefined ? undefined : await readCommit(reader, from);
  const after = await readCommit(reader, to);
  if (after === undefined || (from !== undefined && before === undefined)) return undefined;
  return treeDiff(reader, before?.tree, after.tree);
}

/** `:<mode> <mode> <blob> <blob> <letter>`, NUL, path, NUL. */
function parseRaw(text: string): readonly FileChange[] {
  const fields = text.split("\0");
  const changes: FileChange[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [from = "", to = "", before = "", after = ""] = (fields[index] ?? "").slice(1).split(" ");
    changes.push({ path: fields[index + 1] ?? "", before: version(from, before), after: version(to, after) });
  }
  return changes;
}

function version(mode: string, blob: string): FileVersion | undefined {
  return mode === "000000" ? undefined : { mode, blob };
}
