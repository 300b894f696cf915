import { createHash } from "node:crypto";
import { mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, its final zero included. */
const pathBytesMax = 103;

/**
 * A name for the unix socket at `path` that the kernel takes: `path` itself, or, where that is too long, the same
 * socket through a link to its folder in the temporary folder. Whoever asks for the same path gets the same name.
 *
 * @param path - absolute; its folder must exist
 */
export function socketPath(path: string): string {
  if (Buffer.byteLength(path) <= pathBytesMax) return path;
  const folder = dirname(path);
  const uid = process.getuid?.() ?? 0;
  const link = join(
    tmpdir(),
    `bosun-${uid}-${createHash("sha256").update(folder).digest("hex").slice(0, 16)}`,
  );
  if (target(link) !== folder) {
    rmSync(link, { force: true });
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(folder, link);
  }
  return join(link, basename(path));
}

function target(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    // Not there, or not a link: it is made anew.
    return undefined;
  }
}
