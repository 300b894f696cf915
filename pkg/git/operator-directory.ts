import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Git } from "./git.ts";
import { initialize } from "./init.ts";

/** Makes the operator's own git directory, on which it looks at the user's objects, with what a crash left there put right. */
export async function makeOperatorDirectory(git: Git, gitDirectory: string): Promise<void> {
  await mkdir(gitDirectory, { recursive: true });
  // Nobody else uses it. Beside the lock that a killed git left, or with half a configuration, no operator could ever start
  // again; and git would write no setting that is there twice.
  for (const name of ["config.lock", "config"]) await rm(join(gitDirectory, name), { force: true });
  await initialize(git, gitDirectory, { "core.bare": "true" });
}
