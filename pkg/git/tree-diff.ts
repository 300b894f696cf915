import type { FileChange, FileVersion } from "../quality/commit-source.ts";
import type { ObjectReader } from "./object-reader.ts";

/**
 * What differs between two trees, as `git diff-tree -r --raw --no-renames` has it, sorted by path. Only folders that
 * differ are read.
 *
 * @param before - full id of a tree; undefined: an empty one
 * @returns undefined when a tree can't be read: git says why
 */
export async function treeDiff(
  reader: ObjectReader,
  before: string | undefined,
  after: string,
): Promise<readonly FileChange[] | undefined> {
  const changes: FileChange[] = [];
  if (!(await compare(before, after, ""))) return undefined;
  return changes
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((change) => ({ ...change, path: Buffer.from(change.path, "latin1").toString("utf8") }));

  /** @param folder - ends in a slash, or is empty; as bytes, since two names may look the same in UTF-8 */
  async function compare(old: string | undefined, now: string | undefined, folder: string): Promise<boolean> {
    const [was, is] = await Promise.all(
      [old, now].map((id) => (id === undefined ? none : readTree(reader, id))),
    );
    if (was === undefined || is === undefined) return false;
    const done = [...new Set([...was.keys(), ...is.keys()])].map((name) => {
      const [from, to] = [was.get(name), is.get(name)];
      if (from?.blob === to?.blob && from?.mode === to?.mode) return true;
      const [oldFile, newFile] = [from, to].map((entry) => (isFolder(entry) ? undefined : entry));
      const path = folder + name;
      if (oldFile !== undefined || newFile !== undefined)
        changes.push({ path, before: oldFile, after: newFile });
      const [oldFolder, newFolder] = [from, to].map((entry) => (isFolder(entry) ? entry?.blob : undefined));
      return oldFolder === newFolder || compare(oldFolder, newFolder, `${path}/`);
    });
    return !(await Promise.all(done)).includes(false);
  }
}

/** Entries of a folder by name, in bytes. */
type Tree = ReadonlyMap<string, FileVersion>;

const none: Tree = new Map();
const folderMode = "040000";

function isFolder(entry: FileVersion | undefined): boolean {
  return entry?.mode === folderMode;
}

/** `<mode> <name>`, NUL, 20 bytes of id, and so on. Undefined for what git would not have written, too. */
async function readTree(reader: ObjectReader, id: string): Promise<Tree | undefined> {
  const found = await reader.object(id);
  if (found?.type !== "tree" || found.id !== id) return undefined;
  const { content } = found;
  const entries = new Map<string, FileVersion>();
  for (let at = 0; at < content.length; ) {
    const end = content.indexOf(0, at);
    const [mode = "", ...words] = content.toString("latin1", at, end).split(" ");
    const name = words.join(" ");
    if (end === -1 || entries.has(name)) return undefined;
    entries.set(name, { mode: usualMode(mode), blob: content.toString("hex", end + 1, end + 21) });
    at = end + 21;
  }
  return entries;
}

/** Old trees have modes that git takes for one of the five that there are. */
function usualMode(mode: string): string {
  const bits = Number.parseInt(mode, 8);
  switch (bits & 0o170000) {
    case 0o100000:
      return (bits & 0o100) === 0 ? "100644" : "100755";
    case 0o120000:
      return "120000";
    case 0o040000:
      return folderMode;
    default:
      return "160000";
  }
}
