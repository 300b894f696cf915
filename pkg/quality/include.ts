import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, glob, lstat, mkdir, readFile, realpath } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { TerminalError } from "../runtime/errors.ts";
import { matchesPattern } from "./glob.ts";

/** Files of the user's work tree that git ignores and checkouts need: generated code, fixtures, local settings. */
export interface Include {
  /** The user's work tree. */
  from: string;
  /** `spec.checkout.include`: globs below it. */
  patterns: readonly string[];
  /** Those of `paths`, below `from`, that git ignores. */
  ignored(paths: readonly string[]): Promise<readonly string[]>;
}

/** Never copied to where a branch's code runs. */
const secrets = [
  ".env*",
  "*.pem",
  "*.key",
  "*.p12",
  "*.pfx",
  "id_*",
  ".npmrc",
  ".netrc",
  ".pypirc",
  "*credentials*",
];
const neverBelow = [".git/**", ".claude-sessions/**", "**/.git/**", ".ssh/**", ".aws/**", ".kube/**"];

/**
 * The regular files the patterns name and git ignores, as sorted paths below `from`.
 *
 * @throws TerminalError SecretIncluded when one of them may be a secret
 */
export async function includedFiles({ from, patterns, ignored }: Include): Promise<readonly string[]> {
  const root = await realpath(from);
  const found = new Set<string>();
  for await (const entry of glob([...patterns], { cwd: root })) {
    const path = relative(root, join(root, entry));
    if (path.startsWith("..") || !(await lstat(join(root, path))).isFile()) continue;
    // A link on the way could lead anywhere.
    if (!(await realpath(join(root, path))).startsWith(root + sep)) continue;
    found.add(path);
  }
  // What git tracks, or a person has not added yet, reaches a checkout by a commit or not at all.
  const files = await ignored([...found].sort());
  const secret = files.find((path) =>
    [...secrets, ...neverBelow].some((pattern) => matchesPattern(path, pattern)),
  );
  if (secret === undefined) return files;
  throw new TerminalError(
    "SecretIncluded",
    `spec.checkout.include names ${secret}, which may hold a secret and would be readable by a branch's code. ` +
      "Leave it out, and give the checks a value without worth instead.",
  );
}

/**
 * Copies `files`; one that the commit has itself stays as the commit has it.
 *
 * @returns those that were copied
 */
export async function copyIncluded(
  include: Include,
  files: readonly string[],
  checkout: string,
): Promise<readonly string[]> {
  const copied: string[] = [];
  for (const path of files) {
    const to = join(checkout, path);
    // A branch could hold a link where a folder is expected.
    const folder = dirname(to);
    await mkdir(folder, { recursive: true });
    if (!`${await realpath(folder)}${sep}`.startsWith((await realpath(checkout)) + sep)) continue;
    try {
      await copyFile(join(include.from, path), to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      copied.push(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  return copied;
}

/** Copies what `include` names into a new checkout of an agent. Returns what was copied. @throws as `includedFiles` */
export async function fillCheckout(include: Include, checkout: string): Promise<readonly string[]> {
  return copyIncluded(include, await includedFiles(include), checkout);
}

/** Changes when a file that is included does. */
export async function digestOf(include: Include, files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of files) {
    const content = await readFile(join(include.from, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}
