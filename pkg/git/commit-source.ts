import { join } from "node:path";
import type { CommitSource, FileChange, FileVersion } from "../quality/commit-source.ts";
import { commonGitDirectory } from "../sandbox/places.ts";
import { Git, type GitPlace, gitFailed } from "./git.ts";
import { layoutOf } from "./layout.ts";
import { makeCheckout } from "./make-checkout.ts";
import { makeOperatorDirectory } from "./operator-directory.ts";
import type { RunProcess } from "./process.ts";

/** The commits of the user's repository, read with the operator's own configuration. */
export async function openCommitSource(options: {
  repositoryPath: string;
  stateDirectory: string;
  runGit?: RunProcess;
}): Promise<CommitSource> {
  const git = new Git(options.runGit);
  const { operator } = layoutOf(options.stateDirectory);
  await makeOperatorDirectory(git, operator);
  const objectDirectory = join(commonGitDirectory(options.repositoryPath), "objects");
  const place: GitPlace = { gitDirectory: operator, objects: objectDirectory };
  const raw = ["--raw", "-r", "-z", "--no-renames", "--no-abbrev"];

  return {
    async tree(commit) {
      const tree = `${commit}^{tree}`;
      return (await git.reader(place).id(tree)) ?? git.text(place, ["rev-parse", "--verify", tree]);
    },
    async commits(base, head) {
      const format = ["log", "-z", "--reverse", "--topo-order", "--format=%H%n%B", `${base}..${head}`];
      const text = await git.text(place, format);
      return text
        .split("\0")
        .filter((record) => record !== "")
        .map((record) => ({ id: record.slice(0, 40), message: record.slice(41) }));
    },
    async changesOf(commit) {
      const parents = await parentsOf(commit);
      const perParent = await Promise.all(
        parents.map(async (parent) =>
          parent === ""
            ? parseRaw(await git.text(place, ["diff-tree", "--root", "--no-commit-id", ...raw, commit]))
            : parseRaw(await git.text(place, ["diff-tree", ...raw, parent, commit])),
        ),
      );
      const [first = [], ...others] = perParent;
      return first.filter(({ path }) =>
        others.every((changes) => changes.some((other) => other.path === path)),
      );
    },
    async changesBetween(base, head) {
      return parseRaw(await git.text(place, ["diff", ...raw, `${base}...${head}`]));
    },
    async contents(blobs) {
      const read = await Promise.all(blobs.map((blob) => git.reader(place).object(blob)));
      const found = read.flatMap((object) => (object?.type === "blob" ? [object] : []));
      const contents = new Map(found.map(({ id, content }) => [id, content]));
      const others = blobs.filter((blob) => !contents.has(blob));
      return others.length === 0 ? contents : new Map([...contents, ...(await readAnew(others))]);
    },
    async ignored(paths) {
      if (paths.length === 0) return [];
      const args = ["check-ignore", "-z", "--stdin"];
      const stdin = paths.map((path) => `${path}\0`).join("");
      const output = await git.inUserCheckout(options.repositoryPath, args, {}, stdin);
      // 1: none of them is.
      if (output.exitCode > 1) throw gitFailed(args, output);
      return output.stdout.toString("utf8").split("\0").slice(0, -1);
    },
    checkOut: (commit, path) =>
      makeCheckout(git, {
        path,
        base: commit,
        branch: "",
        targetBranch: "checked",
        objectDirectory,
        identity: { name: "Bosun", email: "bosun@localhost" },
      }),
  };

  async function parentsOf(commit: string): Promise<readonly string[]> {
    const found = await git.reader(place).object(commit);
    if (found?.type !== "commit")
      return (await git.text(place, ["show", "-s", "--format=%P", commit])).split(" ");
    // The headers end at the first empty line; a message may have lines that look like one.
    const [headers = ""] = found.content.toString("utf8").split("\n\n");
    const parents = headers.split("\n").flatMap((line) => /^parent ([0-9a-f]{40})$/.exec(line)?.[1] ?? []);
    return parents.length === 0 ? [""] : parents;
  }

  /** What is missing is not believed before a process of its own says so. */
  async function readAnew(blobs: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    const args = ["cat-file", "--batch"];
    const output = await git.run(place, args, { stdin: blobs.map((blob) => `${blob}\n`).join("") });
    if (output.exitCode !== 0) throw gitFailed(args, output);
    return parseBatch(output.stdout);
  }
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

/** `<id> <type> <size>`, line break, content, line break; `<id> missing` for what is not there. */
function parseBatch(output: Buffer): ReadonlyMap<string, Buffer> {
  const contents = new Map<string, Buffer>();
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf("\n", at);
    const [id = "", type, size] = output.subarray(at, end).toString("utf8").split(" ");
    at = end + 1;
    if (type === "missing" || size === undefined) continue;
    const length = Number(size);
    if (type === "blob") contents.set(id, output.subarray(at, at + length));
    at += length + 1;
  }
  return contents;
}
