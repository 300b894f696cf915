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
  const { XDG_CACHE_HOME, NODE_COMPILE_CACHE } = env;
  if (NODE_COMPILE_CACHE !== undefined && NODE_COMPILE_CACHE !== "") return { NODE_COMPILE_CACHE };
  const caches =
    XDG_CACHE_HOME === undefined || XDG_CACHE_HOME === "" ? join(homedir(), ".cache") : XDG_CACHE_HOME;
  return { NODE_COMPILE_CACHE: join(caches, "bosun", "compiled") };
}

/** Writes down what was compiled so far, for a process that may never come to the end at which Node would do so. */
export function keepCompiled(): void {
  nodeModule.flushCompileCache();
}
