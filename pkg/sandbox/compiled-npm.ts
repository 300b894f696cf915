import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, relative } from "node:path";
import { compileCache } from "../system/compile-cache.ts";

/** What Node keeps of the npm on a PATH once it was compiled; see `keepCompiledNpm`. */
export interface CompiledNpm {
  /** Absolute. */
  folder: string;
  /** Paths in it. */
  files: readonly string[];
}

/** The folder's name where Node keeps what a program that asks for it has compiled, in the folder for temporary files. */
export const compiledName = "node-compile-cache";

/** Whether a command line starts npm itself; what starts it by another name only waits longer for it. */
export function startsNpm(command: string): boolean {
  return /\bnp[mx]\b/.test(command);
}

/** Undefined where nothing was kept yet of this npm with this Node. */
export function compiledNpm(path: string): CompiledNpm | undefined {
  const folder = compiledNpmFolder(path);
  if (folder === undefined) return undefined;
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return { folder, files: files.map(({ parentPath, name }) => relative(folder, join(parentPath, name))) };
  } catch {
    // Not kept yet, or removed because it is old.
    return undefined;
  }
}

/**
 * Where it is kept, whether or not it is there: with Bosun's own compiled code, in a folder of the person's own, since
 * whoever can write there decides what runs. Undefined where there is no npm, or one that says no version of itself.
 */
export function compiledNpmFolder(path: string): string | undefined {
  const [node, npm] = ["node", "npm"].map((tool) => onPath(path, tool));
  if (node === undefined || npm === undefined) return undefined;
  const { size, mtimeMs } = statSync(node);
  const about = createHash("sha256").update(JSON.stringify([node, size, mtimeMs, npm]));
  try {
    about.update(readFileSync(join(dirname(npm), "..", "package.json")));
  } catch {
    // Started by a version manager's shim, say, which may start another one tomorrow.
    return undefined;
  }
  return join(compileCache().NODE_COMPILE_CACHE, `npm-${about.digest("hex").slice(0, 16)}`);
}

function onPath(path: string, tool: string): string | undefined {
  const files = path
    .split(delimiter)
    .filter(isAbsolute)
    .map((entry) => join(entry, tool));
  const file = files.find((candidate) => existsSync(candidate));
  return file === undefined ? undefined : realpathSync.native(file);
}
