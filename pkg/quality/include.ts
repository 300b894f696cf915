import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, glob, lstat, mkdir, readFile, realpath } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { TerminalError } from "../runtime/errors.ts";
import { matchesPattern } from "./glob.ts";

/** Files of the user's work tree that git ignores and checks need: generated code, fixtures, local settings. */
export interface Include {
  /** The user's work tree. */
  from: string;
  /** `spec.checkout.include`: globs below it. */
  patterns: readonly string[];
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
 * The regular files the patterns name, as sorted paths below `from`.
 *
 * @throws TerminalError SecretIncluded when one of them may be a secret
 */
export async function includedFiles({ from, patterns }: Include): Promise<readonly string[]> {
  const root = await realpath(from);
  const found = new Set<string>();
  for await (const entry of glob([...patterns], { cwd: root })) {
    const path = relative(root, join(root, entry));
    if (path.startsWith("..") || !(await lstat(join(root, path))).isFile()) continue;
    // A link on the way could lead anywhere.
    if (!(await realpath(join(root, path))).startsWith(root + sep)) continue;
    if ([...secrets, ...neverBelow].some((pattern) => matchesPattern(path, pattern))) {
      throw new TerminalError(
        "SecretIncluded",
        `spec.checkout.include names ${path}, which may hold a secret and would be readable by a branch's code. ` +
          "Leave it out, and give the checks a value without worth instead.",
      );
    }
    found.add(path);
  }
  return [...found].sort();
}

/** Copies them; a file that the commit has itself stays as the commit has it. */
export async function copyIncluded(
  include: Include,
  files: readonly string[],
  checkout: string,
): Promise<void> {
  for (const path of files) {
    const to = join(checkout, path);
    // A branch could hold a link where a folder is expected.
    const folder = dirname(to);
    await mkdir(folder, { recursive: true });
    if (!`${await realpath(folder)}${sep}`.startsWith((await realpath(checkout)) + sep)) continue;
    await copyFile(join(include.from, path), to, constants.COPYFILE_EXCL).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      },
    );
  }
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
