/** A repository that was moved, with checkouts that borrow its objects. */
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRepository } from "../../pkg/git/open.ts";
import type { Repository } from "../../pkg/git/repository.ts";
import { systemClock } from "../../pkg/system/system.ts";
import { git, openRealWorld, type RealWorld, write } from "./repository-world.ts";

const identity = { name: "agent-1", email: "agent-1@bosun.localhost" };
const claim = (project: string) => ({ project, number: 1, agent: "agent-1" });

let world: RealWorld;
beforeEach(async () => {
  world = await openRealWorld({ term: 1 });
});
afterEach(() => world.remove());

async function checkoutFor(project: string): Promise<string> {
  await world.repository.recordClaim(claim(project));
  const branch = `agent-1/${project}`;
  return (await world.repository.ensureCheckout(claim(project), { branch, identity, purpose: "execute" }))
    .path;
}

function open(repositoryPath: string): Promise<Repository> {
  const { stateDirectory } = world;
  const options = {
    targetBranch: "main",
    mode: "real",
    clock: systemClock,
    sandbox: "off",
    term: 2,
  } as const;
  return openRepository({ ...options, repositoryPath, stateDirectory });
}

const movedTo = (): string => join(world.root, "a new place");
const alternatesOf = (checkout: string): string => join(checkout, ".git", "objects", "info", "alternates");
const lenderOf = async (checkout: string): Promise<string> =>
  (await readFile(alternatesOf(checkout), "utf8")).trim();

test("checkouts, also those in quarantine, borrow from where it is now, and work goes on in them", async () => {
  const checkout = await checkoutFor("at-work");
  const set = await checkoutFor("put-aside");
  await write(set, { "notes.txt": "changed\n" });
  expect(await world.repository.release(claim("put-aside"), "execute")).toBe("quarantined");
  await world.agentCommits(checkout, { "done.txt": "done\n" });
  await rename(world.repositoryPath, movedTo());

  const repository = await open(movedTo());
  await world.agentCommits(checkout, { "more.txt": "more\n" });
  expect(await repository.checkoutState(claim("at-work"), "execute")).toMatchObject({ is: "present" });
  const head = await git(checkout, "rev-parse", "HEAD");
  expect(await repository.collect(claim("at-work"), "agent-1/at-work")).toBe(head);
  expect(await git(movedTo(), "show", "agent-1/at-work:more.txt")).toBe("more");
  const aside = join(world.stateDirectory, "quarantine", "agent-1-put-aside-1");
  expect(await git(aside, "diff", "--name-only", "HEAD")).toBe("notes.txt");
});

test("what an agent made of its checkout is left as it is", async () => {
  const elsewhere = await checkoutFor("elsewhere");
  await writeFile(alternatesOf(elsewhere), "/srv/somewhere/objects\n");
  const linked = await checkoutFor("linked");
  const behind = join(world.root, "behind");
  await rename(join(linked, ".git"), behind);
  await symlink(behind, join(linked, ".git"));
  const gone = await checkoutFor("gone");
  await rm(join(gone, ".git"), { recursive: true });
  const former = await lenderOf(linked);
  await rename(world.repositoryPath, movedTo());

  const repository = await open(movedTo());
  expect(await lenderOf(elsewhere)).toBe("/srv/somewhere/objects");
  expect(await lenderOf(linked)).toBe(former);
  for (const project of ["elsewhere", "linked", "gone"])
    expect(await repository.checkoutState(claim(project), "execute")).toMatchObject({ is: "unknown" });
});

test("another repository lends nothing to the checkouts of the one that it takes the place of", async () => {
  const checkout = await checkoutFor("at-work");
  const former = await lenderOf(checkout);
  await mkdir(movedTo());
  await git(movedTo(), "init", "--quiet", "--initial-branch=main");
  await git(movedTo(), "commit", "--quiet", "--allow-empty", "-m", "Another beginning");
  await open(movedTo());
  expect(await lenderOf(checkout)).toBe(former);
});
