import { createHash } from "node:crypto";
import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Of more git says sooner whether they changed, and holds up nobody meanwhile. */
const filesMax = 1_000;

/**
 * A name for all files of a checkout as they are: the same again means that none was written, added, removed or replaced
 * since, ignored ones and those in nested repositories included. Only what lies in the checkout's own `.git` is left out.
 *
 * It goes by what no process sets at will, the time of a file's last change, beside its number, size and mode. A second
 * change within a tick of the kernel's clock (at most 10 ms) is not seen by that, so nobody may be at work meanwhile.
 *
 * @returns undefined where there is too much to look at, something can't be read, or times are of whole seconds
 */
export function filesAsTheyAre(checkout: string): string | undefined {
  const lines: string[] = [];
  try {
    const isAll = look(checkout, "");
    return isAll ? createHash("sha256").update(lines.sort().join("\0")).digest("hex") : undefined;
  } catch {
    // Whoever asks has git look, which says what is wrong.
    return undefined;
  }

  /** @returns false when it had to give up */
  function look(folder: string, prefix: string): boolean {
    for (const name of readdirSync(folder)) {
      if (prefix === "" && name === ".git") continue;
      const path = join(folder, name);
      const found = lstatSync(path, { bigint: true });
      if (lines.push(`${prefix}${name} ${marksOf(found)}`) > filesMax || isCoarse(found)) return false;
      if (found.isDirectory() && !look(path, `${prefix}${name}/`)) return false;
    }
    return true;
  }
}

function isCoarse({ ctimeNs }: BigIntStats): boolean {
  return ctimeNs % 1_000_000_000n === 0n;
}

function marksOf({ dev, ino, mode, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, mode, size, mtimeNs, ctimeNs].join(" ");
}
