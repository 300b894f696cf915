import { readdir, rm, stat } from "node:fs/promises";
import nodeModule from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * What a process of Node is started with to keep the code that it compiled, and to take what was kept before: a session
 * host then takes half the time to start, the gateway a third. In a folder of the person's own, since whoever can write
 * there decides what runs; a folder that can't be made is no error.
 */
export function compileCache(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<"NODE_COMPILE_CACHE", string> {
  const { NODE_COMPILE_CACHE } = env;
  if (NODE_COMPILE_CACHE !== undefined && NODE_COMPILE_CACHE !== "") return { NODE_COMPILE_CACHE };
  return { NODE_COMPILE_CACHE: ownCache(env) };
}

function ownCache({ XDG_CACHE_HOME }: Readonly<Record<string, string | undefined>>): string {
  const caches =
    XDG_CACHE_HOME === undefined || XDG_CACHE_HOME === "" ? join(homedir(), ".cache") : XDG_CACHE_HOME;
  return join(caches, "bosun", "compiled");
}

/**
 * Removes what nothing was added to since `beforeMs`, wall time: that of other versions of Node and of Bosun, and what is
 * in use so long that it is compiled anew once. Only of Bosun's own folder, not of one that a person has named for Node.
 * What can't be removed is no error.
 */
export async function removeOldCompiled(
  beforeMs: number,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const folder = ownCache(env);
  // Not there yet, or somebody else's.
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const entry = join(folder, name);
    const { mtimeMs } = await stat(entry).catch(() => ({ mtimeMs: beforeMs }));
    if (mtimeMs < beforeMs) await rm(entry, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Writes down what was compiled so far, for a process that may never come to the end at which Node would do so. */
export function keepCompiled(): void {
  nodeModule.flushCompileCache();
}
