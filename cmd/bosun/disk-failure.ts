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
  ELOOP: "A symbolic link there leads to itself. Remove it, then run it again.",
  EEXIST: "Something else is in the place of a file or a folder. Move it away, then run it again.",
  EMFILE: "This process has too many files open. Raise the limit (`ulimit -n`), then run it again.",
  ENFILE: "The system has too many files open. End what you don't need, then run it again.",
};

const tooManyWatched =
  "The system watches as many files as it may. Raise the limit (`sysctl fs.inotify.max_user_watches`), then run it again.";

const noTemporary = "TMPDIR names a folder that is not there. Make it, or unset TMPDIR, then run it again.";

/** What to do about `error`, or about what caused it; undefined when the disk has no part in it. */
export function diskAdvice(error: unknown): string | undefined {
  const refused = causesOf(error).find(
    (cause) => advice[cause.code ?? ""] !== undefined || isTemporary(cause),
  );
  if (refused === undefined) return undefined;
  const known = isWatch(refused)
    ? tooManyWatched
    : isTemporary(refused)
      ? noTemporary
      : advice[refused.code ?? ""];
  return `${known} Everything that was acknowledged is kept.`;
}

/** What a full disk, or a quota that is used up, said to `error` or to what caused it; undefined where none did. */
export function fullDiskIn(error: unknown): Error | undefined {
  return causesOf(error).find(
    (cause) => (cause.code === "ENOSPC" || cause.code === "EDQUOT") && !isWatch(cause),
  );
}

/** The kernel has one code for a full disk and for too many watched files. */
function isWatch({ code, syscall }: NodeJS.ErrnoException): boolean {
  return code === "ENOSPC" && syscall === "watch";
}

/** Of all that Bosun makes in folders that are not its own. */
function isTemporary({ code, syscall }: NodeJS.ErrnoException): boolean {
  return code === "ENOENT" && syscall === "mkdtemp";
}

/** `error` first. */
function causesOf(error: unknown): NodeJS.ErrnoException[] {
  const causes: NodeJS.ErrnoException[] = [];
  for (let at = error; at instanceof Error; at = at.cause) causes.push(at);
  return causes;
}
