/** What a person can do about a disk or a system that refuses: the codes of its errors in words. */

const advice: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full; `df -h` shows which. Free some space there, then run it again.",
  EDQUOT: "Your quota on the disk is used up. Free some space there, then run it again.",
  EIO: "The disk can't be read or written; the system's log says which. Once it can, run it again.",
  EROFS: "The file system is mounted read-only. Once it can be written, run it again.",
  EACCES: "You may not read or write there. Once you may, run it again.",
  EPERM: "You may not change what is there. Once you may, run it again.",
  EISDIR: "A folder is in the place of a file. Move it away, then run it again.",
  ENOTDIR: "A file is in the place of a folder. Move it away, then run it again.",
  EEXIST: "Something else is in the place of a file or a folder. Move it away, then run it again.",
  EMFILE: "This process has too many files open. Raise the limit (`ulimit -n`), then run it again.",
  ENFILE: "The system has too many files open. End what you don't need, then run it again.",
};

/** What to do about `error`, or about what caused it; undefined when the disk has no part in it. */
export function diskAdvice(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const known = "code" in at && typeof at.code === "string" ? advice[at.code] : undefined;
    if (known !== undefined) return `${known} Everything that was acknowledged is kept.`;
  }
  return undefined;
}
