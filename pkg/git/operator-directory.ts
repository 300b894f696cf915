import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Git } from "./git.ts";

/** Makes the operator's own git directory, on which it looks at the user's objects; one that is there stays as it is. */
export async function makeOperatorDirectory(git: Git, gitDirectory: string): Promise<void> {
  await mkdir(gitDirectory, { recursive: true });
  // Nobody else uses it, so this is what a killed git left; beside it no operator could ever start again.
  await rm(join(gitDirectory, "config.lock"), { force: true });
  await git.text({ gitDirectory }, ["init", "--bare", "--quiet", "--template="]);
}
