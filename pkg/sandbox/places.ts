import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";

/** Directories a sandbox hides, and the few below them that it shows again, read-only. */
export interface Places {
  hide: readonly string[];
  readOnly: readonly string[];
}

/**
 * What a command must not see of a workspace: the repository (with the control plane inside it), its git directory
 * and every checkout. Shown again are the object folders alone, which `git clone --shared` borrows from.
 *
 * @param options.repositoryPath - the user's work tree
 * @param options.stateDirectory - where all checkouts lie
 * @param options.controlPlane - `.claude-sessions`, where it lies elsewhere than in the repository
 */
export function workspacePlaces(options: {
  repositoryPath: string;
  stateDirectory: string;
  controlPlane?: string;
}): Places {
  const gitDirectory = commonGitDirectory(options.repositoryPath);
  return {
    hide: [
      options.repositoryPath,
      gitDirectory,
      ...workTrees(gitDirectory),
      options.stateDirectory,
      ...(options.controlPlane === undefined ? [] : [options.controlPlane]),
    ],
    readOnly: objectDirectories(join(gitDirectory, "objects")),
  };
}

/** The main work tree of a git directory and the linked ones, wherever they lie. */
function workTrees(gitDirectory: string): readonly string[] {
  const main = basename(gitDirectory) === ".git" ? [dirname(gitDirectory)] : [];
  const folder = join(gitDirectory, "worktrees");
  const linked = existsSync(folder) ? readdirSync(folder) : [];
  return [
    ...main,
    ...linked.flatMap((name) => {
      const file = join(folder, name, "gitdir");
      return existsSync(file) ? [dirname(resolve(folder, name, readFileSync(file, "utf8").trim()))] : [];
    }),
  ];
}

/** Where the HEAD of a work tree is, also where `.git` is a file that leads there. */
export function ownGitDirectory(repositoryPath: string): string {
  const entry = join(repositoryPath, ".git");
  if (!existsSync(entry)) return repositoryPath;
  if (!statSync(entry).isFile()) return realpathSync(entry);
  const target = /^gitdir: (.+)$/m.exec(readFileSync(entry, "utf8"))?.[1]?.trim();
  return realpathSync(target === undefined ? entry : resolve(repositoryPath, target));
}

/** Where the refs and objects of a work tree are, also for a linked work tree (`commondir` in its git directory). */
export function commonGitDirectory(repositoryPath: string): string {
  const own = ownGitDirectory(repositoryPath);
  const common = join(own, "commondir");
  return existsSync(common) ? realpathSync(resolve(own, readFileSync(common, "utf8").trim())) : own;
}

/** An object folder and the ones it borrows from in turn (`info/alternates`). */
function objectDirectories(objects: string): readonly string[] {
  const found = new Set<string>();
  const waiting = [objects];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (!existsSync(next)) continue;
    const directory = realpathSync(next);
    if (found.has(directory)) continue;
    found.add(directory);
    const alternates = join(directory, "info", "alternates");
    if (!existsSync(alternates)) continue;
    for (const line of readFileSync(alternates, "utf8").split("\n")) {
      if (line === "" || line.startsWith("#")) continue;
      waiting.push(isAbsolute(line) ? line : resolve(dirname(directory), "objects", line));
    }
  }
  return [...found];
}
