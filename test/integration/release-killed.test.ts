import { existsSync } from "node:fs";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { git, openRealWorld } from "./repository-world.ts";

const claim = { project: "retry", number: 1, agent: "agent-1" };

async function claimedWorld() {
  const world = await openRealWorld();
  onTestFinished(() => world.remove());
  await world.repository.recordClaim(claim);
  const { path } = await world.repository.ensureCheckout(claim, {
    branch: "agent-1/project-1",
    from: await git(world.repositoryPath, "rev-parse", "main"),
    identity: { name: "Bosun agent-1", email: "agent-1@bosun.invalid" },
    purpose: "execute",
  });
  return { world, path };
}

test("a release that was killed once the checkout was out of the way is finished by the next", async () => {
  const { world, path } = await claimedWorld();
  await rename(path, join(world.root, "gone"));

  expect(await world.repository.release(claim, "execute")).toBe("absent");

  expect(await readdir(join(world.stateDirectory, "git"))).toEqual([]);
  expect(existsSync(path)).toBe(false);
});

test("a release that can't let go of its refs at first is done as a whole by the next", async () => {
  const { world, path } = await claimedWorld();
  const lock = join(world.repositoryPath, ".git", "refs", "bosun", "keep", "retry-1.lock");
  await writeFile(lock, "");
  await expect(world.repository.release(claim, "execute")).rejects.toMatchObject({ reason: "RefBusy" });
  await rm(lock);
  expect(await world.repository.release(claim, "execute")).toBe("removed");
  expect(await git(world.repositoryPath, "for-each-ref", "refs/bosun/keep")).toBe("");
  expect(existsSync(path)).toBe(false);
});
