import { join } from "node:path";
import type { CommitSource } from "../quality/commit-source.ts";
import { commonGitDirectory } from "../sandbox/places.ts";
import { readCommit } from "./commit.ts";
import { changesFrom, changesSince } from "./file-changes.ts";
import { type GitPlace, gitBy, gitFailed } from "./git.ts";
import { layoutOf } from "./layout.ts";
import { makeCheckout } from "./make-checkout.ts";
import { makeOperatorDirectory } from "./operator-directory.ts";
import type { RunProcess } from "./process.ts";
import { relate } from "./relation.ts";

/** The commits of the user's repository, read with the operator's own configuration. */
export async function openCommitSource(options: {
  repositoryPath: string;
  stateDirectory: string;
  runGit?: RunProcess;
}): Promise<CommitSource> {
  const git = gitBy(options.runGit);
  const { operator } = layoutOf(options.stateDirectory);
  await makeOperatorDirectory(git, operator);
  const objectDirectory = join(commonGitDirectory(options.repositoryPath), "objects");
  const place: GitPlace = { gitDirectory: operator, objects: objectDirectory };

  return {
    async tree(commit) {
      const tree = `${commit}^{tree}`;
      return (await git.reader(place).id(tree)) ?? git.text(place, ["rev-parse", "--verify", tree]);
    },
    async commits(base, head) {
      const relation = await relate(git.reader(place), base, head);
      return relation?.between ?? loggedBetween(base, head);
    },
    async changesOf(commit) {
      const parents = await parentsOf(commit);
      const perParent = await Promise.all(
        (parents.length === 0 ? [undefined] : parents).map((parent) =>
          changesFrom(git, place, parent, commit),
        ),
      );
      const [first = [], ...others] = perParent;
      return first.filter(({ path }) =>
        others.every((changes) => changes.some((other) => other.path === path)),
      );
    },
    changesBetween: (base, head) => changesSince(git, place, base, head),
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

  async function loggedBetween(
    base: string,
    head: string,
  ): Promise<readonly { id: string; message: string }[]> {
    const format = ["log", "-z", "--reverse", "--topo-order", "--format=%H%n%B", `${base}..${head}`];
    const text = await git.text(place, format);
    return text
      .split("\0")
      .filter((record) => record !== "")
      .map((record) => ({ id: record.slice(0, 40), message: record.slice(41) }));
  }

  async function parentsOf(commit: string): Promise<readonly string[]> {
    const found = await readCommit(git.reader(place), commit);
    if (found !== undefined) return found.parents;
    const parents = await git.text(place, ["show", "-s", "--format=%P", commit]);
    return parents.split(" ").filter(Boolean);
  }

  /** What is missing is not believed before a process of its own says so. */
  async function readAnew(blobs: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    const args = ["cat-file", "--batch"];
    const output = await git.run(place, args, { stdin: blobs.map((blob) => `${blob}\n`).join("") });
    if (output.exitCode !== 0) throw gitFailed(args, output);
    return parseBatch(output.stdout);
  }
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
