import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, sep } from "node:path";

/** Tools that a project's commands start with; their files may lie behind links, far from PATH. */
const tools = ["node", "npm", "npx", "corepack", "pnpm", "yarn", "git", "bash"];

/**
 * Directories that hold what PATH finds, and the real homes of the usual tools: a `node` below HOME or below a
 * `node_modules` folder must still run where those are hidden. Each is absolute and exists; none is `/` itself.
 */
export function executableDirectories(path: string): readonly string[] {
  const entries = path.split(delimiter).filter((entry) => isAbsolute(entry) && existsSync(entry));
  const found = new Set<string>(entries);
  for (const tool of tools) {
    for (const entry of entries) {
      const file = join(entry, tool);
      if (!existsSync(file)) continue;
      found.add(homeOf(realpathSync.native(file)));
      break;
    }
  }
  found.delete(sep);
  return [...found];
}

/** The package of a script inside `node_modules`, else the folder of the file. */
function homeOf(file: string): string {
  const parts = file.split(sep);
  const at = parts.lastIndexOf("node_modules");
  if (at === -1 || at + 2 >= parts.length) return dirname(file);
  const scoped = parts[at + 1]?.startsWith("@") ? 1 : 0;
  return parts.slice(0, at + 2 + scoped).join(sep);
}
