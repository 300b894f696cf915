import { existsSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join, sep } from "node:path";

/** Tools that a project's commands start with; their files may lie behind links, far from PATH. */
const tools = ["node", "npm", "npx", "corepack", "pnpm", "yarn", "git", "bash"];

/** What a version manager of pyenv's kind keeps beside its `shims`: itself, and the versions that it starts. */
const besideShims = ["bin", "libexec", "versions", "version"];

/**
 * Places that hold what PATH finds: its directories, what a version manager's shims there lead to, and the real homes
 * of the usual tools: a `node` below HOME or below a `node_modules` folder must still run where those are hidden. Each
 * is absolute and exists; none is `/` itself.
 */
export function executableDirectories(path: string): readonly string[] {
  const entries = path.split(delimiter).filter((entry) => isAbsolute(entry) && existsSync(entry));
  const found = new Set<string>([...entries, ...entries.flatMap(behindShims)]);
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

/** Of a folder of shims as pyenv, rbenv, nodenv and goenv make it: where these look for what they start. */
function behindShims(entry: string): string[] {
  const root = dirname(entry);
  const isManaged = basename(entry) === "shims" && existsSync(join(root, "libexec"));
  return isManaged ? besideShims.map((part) => join(root, part)).filter((place) => existsSync(place)) : [];
}

/** The package of a script inside `node_modules`, else the folder of the file. */
function homeOf(file: string): string {
  const parts = file.split(sep);
  const at = parts.lastIndexOf("node_modules");
  if (at === -1 || at + 2 >= parts.length) return dirname(file);
  const scoped = parts[at + 1]?.startsWith("@") ? 1 : 0;
  return parts.slice(0, at + 2 + scoped).join(sep);
}
