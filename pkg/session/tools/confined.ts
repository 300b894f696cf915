import { constants, existsSync } from "node:fs";
import { type FileHandle, mkdir, open, readlink, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

/** A path that a session may not touch. */
class OutsideCheckout extends Error {
  override readonly name = "OutsideCheckout";
}

/**
 * Opens a file below `root` and nowhere else, whatever links lie on the way.
 *
 * The folder is opened first and what was really opened is looked at; the file is then opened by that folder's
 * handle, without following a link. So nothing that moves in between leads outside.
 *
 * @param path - relative to `root`, or absolute below it
 * @param how - `write` makes missing folders and the file, and refuses everything in `.git`
 * @throws OutsideCheckout when the path leads elsewhere
 */
export async function openConfined(root: string, path: string, how: "read" | "write"): Promise<FileHandle> {
  const realRoot = await realpath(root);
  const wanted = resolve(realRoot, isAbsolute(path) ? relative(resolve(root), resolve(path)) : path);
  const name = basename(wanted);
  const parent = dirname(wanted);
  if (!isInside(wanted, realRoot)) throw outside(path);
  if (how === "write") {
    if (isGit(wanted, realRoot))
      throw new OutsideCheckout(`${path} belongs to git. Use git commands to change it.`);
    await makeFolders(parent, realRoot, path);
  }
  const folder = await open(parent, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const real = await pathOf(folder, parent);
    if (real !== realRoot && !isInside(real, realRoot)) throw outside(path);
    if (how === "write" && isGit(join(real, name), realRoot)) throw outside(path);
    const flags = how === "read" ? constants.O_RDONLY : constants.O_RDWR | constants.O_CREAT;
    // O_NONBLOCK: a pipe that nobody writes to must not hold the session up.
    const handle = await open(
      join(handlePath(folder, real), name),
      flags | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    throw new Error(`${path} is not a file.`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ELOOP") {
      throw new OutsideCheckout(`${path} is a symbolic link. Name the file itself.`);
    }
    throw error;
  } finally {
    await folder.close();
  }
}

/** Makes missing folders one by one from the nearest existing one, which must really be inside. */
async function makeFolders(folder: string, root: string, path: string): Promise<void> {
  if (!existsSync(folder)) {
    await makeFolders(dirname(folder), root, path);
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
  const real = await realpath(folder);
  if (real !== root && !isInside(real, root)) throw outside(path);
}

/** By handle where the platform has such paths; Linux does. */
function handlePath(handle: FileHandle, path: string): string {
  return process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : path;
}

async function pathOf(handle: FileHandle, path: string): Promise<string> {
  return process.platform === "linux" ? readlink(`/proc/self/fd/${handle.fd}`) : realpath(path);
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(folder + sep);
}

/** Case is ignored: so do the file systems of macOS. */
function isGit(path: string, root: string): boolean {
  return relative(root, path)
    .split(sep)
    .some((part) => part.toLowerCase() === ".git");
}

function outside(path: string): OutsideCheckout {
  return new OutsideCheckout(`${path} is outside of the checkout. Only files below it can be used.`);
}
