import { changesSince } from "./file-changes.ts";
import { type Git, type GitPlace, gitFailed } from "./git.ts";

/** Commits of `base..head`, newest first. */
export async function commitsBetween(
  git: Git,
  objects: GitPlace,
  base: string,
  head: string,
): Promise<readonly { id: string; subject: string }[]> {
  const text = await git.text(objects, ["log", "-z", "--topo-order", "--format=%H %s", `${base}..${head}`]);
  return text
    .split("\0")
    .filter((record) => record !== "")
    .map((record) => ({
      id: record.slice(0, record.indexOf(" ")),
      subject: record.slice(record.indexOf(" ") + 1),
    }));
}

/** What `head` changes since it left `base`: sorted paths, and the start of the patch. */
export async function patchSince(
  git: Git,
  objects: GitPlace,
  { base, head, maxBytes }: { base: string; head: string; maxBytes: number },
): Promise<{ paths: readonly string[]; patch: string }> {
  const range = `${base}...${head}`;
  const diff = ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"];
  const [paths, patch] = await Promise.all([
    changesSince(git, objects, base, head),
    git.run(objects, [...diff, range], { maxBytes }),
  ]);
  if (patch.exitCode !== 0) throw gitFailed(["diff", range], patch);
  return {
    paths: paths.map(({ path }) => path).sort(),
    // A character that the cut split is left out.
    patch: patch.stdout.toString("utf8").replace(/\uFFFD$/, ""),
  };
}
