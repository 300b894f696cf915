import { randomUUID } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from "node:fs";
import { copyFile, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TransientError } from "../runtime/errors.ts";
import { createFileSync } from "../storage/replace-file.ts";

/** What an agent's `.git` says, read as plain files: git itself would obey the configuration that lies beside them. */
export interface CheckoutHead {
  /** Commit id; not yet known to exist. */
  head: string;
  /** `refs/heads/...`; undefined when detached. */
  ref: string | undefined;
}

/** Raised for a `.git` that is not what the operator made: a link, a redirect, borrowed objects from elsewhere. */
export class DamagedCheckout extends Error {
  override readonly name = "DamagedCheckout";
}

/**
 * That an object of `checkout` is corrupt, as a loss of power leaves them, where git has said so by `error`; else `error` itself.
 * No other try of git finds it whole.
 */
export function damageIn(checkout: string, error: unknown): unknown {
  const isOfCheckout = error instanceof TransientError && error.message.includes(`(stored in ${checkout}/`);
  return isOfCheckout ? new DamagedCheckout(error.message) : error;
}

/** Of a hundred thousand packed refs. A larger file would hold up who reads it. */
const bytesMax = 16 * 1024 * 1024;

const alternates = ".git/objects/info/alternates";
const commitId = /^[0-9a-f]{40}$/;
const branchRef = /^refs\/heads\/(?!.*(?:\.\.|\/\/|\/\.|\.lock(?:\/|$)))[\w][\w./-]*$/;

/**
 * HEAD of a checkout.
 *
 * @param objects - the only object folder it may borrow from
 * @throws DamagedCheckout when `.git` or what is read in it was replaced
 */
export function readHead(checkout: string, objects: string): CheckoutHead {
  requireLender(checkout, objects);
  return headIn(checkout);
}

/**
 * @param objects - the only object folder that `checkout` may borrow from
 * @throws DamagedCheckout when it borrows from another, or `.git` was replaced
 */
export function requireLender(checkout: string, objects: string): void {
  if (lenderOf(checkout) === objects) return;
  throw new DamagedCheckout(`${checkout} borrows objects from another place than ${objects}.`);
}

/** The object folder that a checkout borrows from. */
function lenderOf(checkout: string): string | undefined {
  return readPlain(checkout, alternates)?.trim();
}

/**
 * Has a checkout that borrows `from` one object folder borrow from another, and leaves any other alone. No process of the
 * agent may be alive.
 *
 * @throws DamagedCheckout when `.git` was replaced
 */
export async function borrowFrom(
  checkout: string,
  { from, to }: { from: string; to: string },
): Promise<void> {
  if (lenderOf(checkout) !== from) return;
  const file = join(checkout, alternates);
  const written = `${file}.${randomUUID()}.new`;
  createFileSync(written, `${to}\n`, 0o644);
  await rename(written, file);
}

/**
 * The same of any checkout, wherever it borrows from.
 *
 * @throws DamagedCheckout when `.git` or what is read in it was replaced
 */
export function headIn(checkout: string): CheckoutHead {
  const text = readPlain(checkout, ".git/HEAD")?.trim() ?? "";
  if (commitId.test(text)) return { head: text, ref: undefined };
  const ref = text.startsWith("ref: ") ? text.slice("ref: ".length) : "";
  if (!branchRef.test(ref)) throw new DamagedCheckout(`${checkout}/.git/HEAD names no branch and no commit.`);
  const head = readBranch(checkout, ref);
  if (head === undefined) throw new DamagedCheckout(`${ref} has no commit in ${checkout}.`);
  return { head, ref };
}

/** The commit of a branch in a checkout, loose or packed; undefined when there is no such branch. */
export function readBranch(checkout: string, ref: string): string | undefined {
  const loose = readPlain(checkout, `.git/${ref}`)?.trim();
  if (loose !== undefined) {
    if (commitId.test(loose)) return loose;
    throw new DamagedCheckout(`${checkout}/.git/${ref} holds no commit id.`);
  }
  const packed = readPlain(checkout, ".git/packed-refs") ?? "";
  for (const line of packed.split("\n")) {
    const [id = "", name] = line.split(" ");
    if (name === ref && commitId.test(id)) return id;
  }
  return undefined;
}

/**
 * Moves what HEAD points at, and makes `index` the checkout's own, without asking git. No process of the agent may
 * be alive. A rename replaces a planted link instead of following it.
 */
export async function moveHead(checkout: string, at: CheckoutHead, to: string, index: string): Promise<void> {
  const file = at.ref === undefined ? ".git/HEAD" : `.git/${at.ref}`;
  plainFolders(checkout, dirname(file));
  const suffix = `.${randomUUID()}.new`;
  const indexFile = join(checkout, ".git", "index");
  await copyFile(index, indexFile + suffix, constants.COPYFILE_EXCL);
  createFileSync(join(checkout, file) + suffix, `${to}\n`, 0o644);
  // The index first: a crash between the two leaves staged changes, not a staged reversal of the commit.
  await rename(indexFile + suffix, indexFile);
  await rename(join(checkout, file) + suffix, join(checkout, file));
  await rm(join(checkout, ".git", "index.lock"), { force: true });
}

/**
 * Takes away the locks that a killed git left on the index and the refs of a checkout: nobody in there could commit any
 * more. No process of the agent may be alive. A `.git` that was replaced is left alone: whoever reads it says so.
 */
export async function removeLocks(checkout: string): Promise<void> {
  for (const [folder, recursive] of [
    [".git", false],
    [".git/refs", true],
  ] as const) {
    if (!isPlainFolder(checkout, folder)) continue;
    // With types it does not follow links.
    const found = await readdir(join(checkout, folder), { recursive, withFileTypes: true });
    for (const { parentPath, name } of found.filter(
      (entry) => entry.isFile() && entry.name.endsWith(".lock"),
    ))
      await rm(join(parentPath, name), { force: true });
  }
}

function isPlainFolder(checkout: string, path: string): boolean {
  try {
    return plainFolders(checkout, path);
  } catch (error) {
    if (error instanceof DamagedCheckout) return false;
    throw error;
  }
}

/**
 * Text of a regular file that is reached through real folders only; undefined when it is not there. Read without letting go
 * of the event loop: a dozen looks at small files take less than one turn of the thread pool.
 */
function readPlain(checkout: string, path: string): string | undefined {
  if (!plainFolders(checkout, dirname(path))) return undefined;
  const file = join(checkout, path);
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") throw new DamagedCheckout(`${file} is a symbolic link.`);
    throw error;
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) throw new DamagedCheckout(`${file} is not a regular file.`);
    if (found.size > bytesMax) throw new DamagedCheckout(`${file} is larger than git makes it.`);
    return readFileSync(descriptor, "utf8");
  } finally {
    closeSync(descriptor);
  }
}

/** False when a folder on the way is missing. */
function plainFolders(checkout: string, path: string): boolean {
  let folder = checkout;
  for (const part of path.split("/")) {
    folder = join(folder, part);
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) {
      if (part === ".git") throw new DamagedCheckout(`${folder} is gone.`);
      return false;
    }
    if (!found.isDirectory()) throw new DamagedCheckout(`${folder} is not a folder.`);
  }
  return true;
}
