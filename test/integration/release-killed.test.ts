import { existsSync } from "node:fs";
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { git, openRealWorld } from "./repository-world.ts";

test("a release that was killed once the checkout was out of the way is finished by the next", async () => {
  const world = await openRealWorld();
  onTestFinished(() => world.remove());
  const claim = { project: "retry", number: 1, agent: "agent-1" };
  await world.repository.recordClaim(claim);
  const { path } = await world.repository.ensureCheckout(claim, {
    branch: "agent-1/project-1",
    from: await git(world.repositoryPath, "rev-parse", "main"),
    identity: { name: "Bosun agent-1", email: "agent-1@bosun.invalid" },
    purpose: "execute",
  });
  await rename(path, join(world.root, "gone"));

  expect(await world.repository.release(claim, "execute")).toBe("absent");

  expect(await readdir(join(world.stateDirectory, "git"))).toEqual([]);
  expect(existsSync(path)).toBe(false);
});
