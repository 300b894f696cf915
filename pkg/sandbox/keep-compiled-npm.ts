import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../runtime/clock.ts";
import { compiledName, compiledNpmFolder } from "./compiled-npm.ts";
import { commandEnvironment } from "./environment.ts";
import { runCommand } from "./run.ts";
import { sandboxed } from "./sandbox.ts";

export interface KeepOptions {
  clock: Clock;
  /** Ends what runs for it. */
  signal: AbortSignal;
  /** In the environment of what runs: by it a stop finds it. */
  marks: Readonly<Record<string, string>>;
  /** Called with nothing between it and the start of a command; throws where none may be started. */
  refuseStopped(): void;
}

/** So long may two starts of npm take, in seconds. */
const timeoutSeconds = 60;

/**
 * Keeps what Node compiles of npm, unless that was done. npm has Node do so by itself, but in a folder that is gone with a
 * sandbox: it compiled itself at each command, and wrote down what it compiled for nobody, an eighth of its start.
 *
 * npm is run for this in a sandbox with an empty package and nothing of a branch, since what is kept here runs in every
 * later check. Never fails: without it npm starts later.
 */
export async function keepCompiledNpm({ clock, signal, marks, refuseStopped }: KeepOptions): Promise<void> {
  const folder = compiledNpmFolder(commandEnvironment({}, "").PATH ?? "");
  if (folder === undefined || existsSync(folder)) return;
  try {
    await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
    const made = await mkdtemp(`${folder}.`);
    try {
      const scripts = { test: "true", other: "true" };
      await writeFile(join(made, "package.json"), JSON.stringify({ scripts }));
      await mkdir(join(made, "tmp"));
      const launch = sandboxed("npm test && npm run other", {
        checkout: made,
        env: { ...marks, CI: "true", TMPDIR: join(made, "tmp") },
        network: "none",
      });
      refuseStopped();
      const { exitCode } = await runCommand({ launch, cwd: made, timeoutSeconds, clock, signal });
      if (exitCode === 0) await rename(join(made, "tmp", compiledName), folder);
    } finally {
      await rm(made, { recursive: true, force: true });
    }
  } catch {
    // A stop, a full disk, an npm that keeps nothing, another operator that was first: what is there is used.
  }
}
