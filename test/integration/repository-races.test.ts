/** What somebody else moves in the repository between a look of the operator's and its transaction, with real git. */
import { afterEach, expect, test } from "vitest";
import { runProcess } from "../../pkg/git/process.ts";
import type { Repository } from "../../pkg/git/repository.ts";
import { commit, git, openRealWorld, type RealWorld } from "./repository-world.ts";

const identity = { name: "agent-1", email: "agent-1@bosun.localhost" };
const branch = "agent-1/project-101";
const claim = { project: "retry-uploads", number: 1, agent: "agent-1" };
const [queue, main] = ["refs/bosun/target/main", "refs/heads/main"];

const worlds: RealWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.remove();
});

/** A commit of nobody's on top of the first one. */
function another({ repositoryPath }: RealWorld, first: string): Promise<string> {
  return git(repositoryPath, "commit-tree", "-p", first, "-m", "Another", `${first}^{tree}`);
}

/** Work of the agent's, of which nothing is collected yet. */
async function workIn(world: RealWorld): Promise<string> {
  await world.repository.recordClaim(claim);
  const { path } = await world.repository.ensureCheckout(claim, { branch, identity, purpose: "execute" });
  return commit(path, { "work.txt": "done\n" });
}

interface Race {
  name: string;
  /** Done before, undisturbed. */
  before?(world: RealWorld, first: string): Promise<unknown>;
  act(repository: Repository): Promise<unknown>;
  /** Of the transaction that comes too late. */
  transaction: RegExp;
  ref: string;
  want: object;
}

const races: readonly Race[] = [
  {
    name: "a queue that another operator starts meanwhile is not known to be where this one would have started it",
    act: (repository) => repository.target(),
    transaction: /^update refs\/bosun\/target\/main /m,
    ref: queue,
    want: { is: "unknown" },
  },
  {
    name: "a queue that another merge moves while new commits are taken in leads nobody's branch",
    before: async (world) => {
      await world.repository.target();
      await world.userCommits({ "mine.txt": "mine\n" });
    },
    act: (repository) => repository.syncTarget(),
    transaction: /^update refs\/bosun\/target\/main /m,
    ref: queue,
    want: { reason: "TargetMoved" },
  },
  {
    name: "a branch that a person moves right before it follows the queue stays where they put it",
    before: async (world, first) => {
      await git(world.repositoryPath, "checkout", "--quiet", "-b", "elsewhere");
      await world.repository.target();
      const { repositoryPath } = world;
      const merged = await git(repositoryPath, "commit-tree", "-p", first, "-m", "Merged", `${first}^{tree}`);
      await world.repository.swapTarget(first, merged);
    },
    act: (repository) => repository.syncTarget(),
    transaction: /^update refs\/heads\/main /m,
    ref: main,
    want: { reason: "BranchMoved" },
  },
  {
    name: "a branch that a person makes right before its work is collected stays theirs",
    before: workIn,
    act: (repository) => repository.collect(claim, branch),
    transaction: /^update refs\/heads\/agent-1\//m,
    ref: `refs/heads/${branch}`,
    want: { reason: "BranchMoved" },
  },
];

for (const { name, before, act, transaction, ref, want } of races)
  test(name, async () => {
    let moves: (() => Promise<unknown>) | undefined;
    const world = await openRealWorld({
      async runGit(request) {
        const move = transaction.test(request.stdin ?? "") ? moves : undefined;
        if (move !== undefined) moves = undefined;
        await move?.();
        return runProcess(request);
      },
    });
    worlds.push(world);
    const { repositoryPath, repository } = world;
    const first = await git(repositoryPath, "rev-parse", "main");
    await before?.(world, first);
    const other = await another(world, first);
    const user = await git(repositoryPath, "rev-parse", "main");
    moves = () => git(repositoryPath, "update-ref", ref, other);

    expect(await act(repository).catch((error: unknown) => error)).toMatchObject(want);
    expect(moves).toBeUndefined();
    expect(await git(repositoryPath, "rev-parse", ref)).toBe(other);
    if (ref !== main) expect(await git(repositoryPath, "rev-parse", "main")).toBe(user);
  });
