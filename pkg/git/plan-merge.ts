import { type Git, type GitPlace, gitFailed } from "./git.ts";
import { relate } from "./relation.ts";
import type { CommitIdentity, MergePlan, MergeRequest } from "./repository.ts";

/**
 * How `head` becomes part of `target`, made of objects alone: no checkout, no ref, no configuration of anybody.
 *
 * A merge commit whose second parent is the reviewed commit; when that conflicts, a merge of its rebase, if
 * every commit keeps its patch id.
 */
export async function planMerge(git: Git, objects: GitPlace, request: MergeRequest): Promise<MergePlan> {
  const { target, head } = request;
  if (await isAncestor(git, objects, head, target)) {
    return { is: "clean", tree: await treeOf(git, objects, target), commit: target, rebased: false };
  }
  const merged = await mergeTrees(git, objects, target, head);
  if (merged.is === "clean") {
    return { is: "clean", tree: merged.tree, commit: await mergeCommit(merged.tree, head), rebased: false };
  }
  const rebase = await rebased(git, objects, request);
  if (rebase === undefined) return merged;
  if (!rebase.samePatches) return { is: "changed", head: rebase.head };
  const tree = await treeOf(git, objects, rebase.head);
  return { is: "clean", tree, commit: await mergeCommit(tree, rebase.head), rebased: true };

  function mergeCommit(tree: string, second: string): Promise<string> {
    return git.text(objects, ["commit-tree", tree, "-p", target, "-p", second, "-F", "-"], {
      stdin: request.message,
      env: identityEnvironment(request.identity, request.dateSeconds),
    });
  }
}

async function treeOf(git: Git, objects: GitPlace, commit: string): Promise<string> {
  const tree = `${commit}^{tree}`;
  return (await git.reader(objects).id(tree)) ?? git.text(objects, ["rev-parse", "--verify", tree]);
}

/** Author and committer as git takes them from the environment. */
export function identityEnvironment(identity: CommitIdentity, dateSeconds: number): Record<string, string> {
  const date = `@${dateSeconds} +0000`;
  return {
    GIT_AUTHOR_NAME: identity.name,
    GIT_AUTHOR_EMAIL: identity.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: identity.name,
    GIT_COMMITTER_EMAIL: identity.email,
    GIT_COMMITTER_DATE: date,
  };
}

/**
 * Of two full ids. False also when a commit is not there.
 *
 * @throws TransientError GitFailed when git can't tell
 */
export async function isAncestor(git: Git, place: GitPlace, commit: string, of: string): Promise<boolean> {
  const relation = await relate(git.reader(place), of, commit);
  if (relation !== undefined) return relation.between.length === 0;
  const args = ["merge-base", "--is-ancestor", commit, of];
  const output = await git.lasting(place, args);
  if (output.exitCode > 1 && !output.stderr.includes("Not a valid commit name"))
    throw gitFailed(args, output);
  return output.exitCode === 0;
}

type Merged = { is: "clean"; tree: string } | { is: "conflict"; files: readonly string[] };

/** Merges two commits into a tree. Histories without a common commit conflict, in no file. */
export async function mergeTrees(git: Git, objects: GitPlace, ours: string, theirs: string): Promise<Merged> {
  const args = ["merge-tree", "--write-tree", "--no-messages", "--name-only", "-z", ours, theirs];
  const output = await git.run(objects, args);
  const [tree = "", ...files] = output.stdout.toString("utf8").split("\0");
  if (output.exitCode === 0) return { is: "clean", tree };
  if (output.exitCode === 1) return { is: "conflict", files: [...new Set(files)].filter(Boolean).sort() };
  if (output.stderr.includes("unrelated histories")) return { is: "conflict", files: [] };
  throw gitFailed(args, output);
}

interface Rebase {
  head: string;
  samePatches: boolean;
}

/** `head` replayed onto `target`; undefined when that conflicts or its history has merges. */
async function rebased(git: Git, objects: GitPlace, request: MergeRequest): Promise<Rebase | undefined> {
  const { target, head } = request;
  const range = ["rev-list", "--reverse", "--topo-order", "--parents", `${target}..${head}`];
  const commits = (await git.text(objects, range)).split("\n").filter(Boolean);
  let onto = target;
  let samePatches = true;
  for (const line of commits) {
    const [commit = "", parent, ...more] = line.split(" ");
    if (parent === undefined || more.length > 0) return undefined;
    const replayed = await replay(git, objects, { commit, parent, onto, request });
    if (replayed === undefined) return undefined;
    samePatches &&= (await patchId(git, objects, commit)) === (await patchId(git, objects, replayed));
    onto = replayed;
  }
  return { head: onto, samePatches };
}

/**
 * One commit applied to `onto`. Git 2.39 cannot be told the base of a merge, so a commit is made that has the
 * tree of `onto` and the parent of `commit`: their merge base is then the parent, as cherry-pick wants it.
 */
async function replay(
  git: Git,
  objects: GitPlace,
  { commit, parent, onto, request }: { commit: string; parent: string; onto: string; request: MergeRequest },
): Promise<string | undefined> {
  const committer = identityEnvironment(request.identity, request.dateSeconds);
  const standIn = await git.text(objects, ["commit-tree", `${onto}^{tree}`, "-p", parent, "-m", "stand-in"], {
    env: committer,
  });
  const merged = await mergeTrees(git, objects, standIn, commit);
  if (merged.is === "conflict") return undefined;
  const format = "--format=%an%x00%ae%x00%ad%x00%B";
  const shown = await git.text(objects, ["show", "-s", "--date=raw", format, commit]);
  const [name = "", email = "", date = "", message = ""] = shown.split("\0");
  return git.text(objects, ["commit-tree", merged.tree, "-p", onto, "-F", "-"], {
    stdin: message,
    env: { ...committer, GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: `@${date}` },
  });
}

async function patchId(git: Git, objects: GitPlace, commit: string): Promise<string> {
  const patch = await git.text(objects, ["diff-tree", "-p", "--no-ext-diff", "--no-textconv", commit]);
  return (await git.text(objects, ["patch-id", "--stable"], { stdin: `${patch}\n` })).split(" ")[0] ?? "";
}
