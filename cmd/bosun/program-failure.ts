/** What a person can do where a program that Bosun runs can't be started. */

/** What to do about `error`, or about what caused it; undefined when no start of a program failed. */
export function programAdvice(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, syscall, path } = at as NodeJS.ErrnoException;
    if (syscall?.startsWith("spawn") !== true) continue;
    if (code === "ENOENT")
      return `There is no \`${path ?? "program"}\` on PATH. Install it, then run it again.`;
    if (code === "EAGAIN")
      return "The system starts no more processes for you. End some, or raise the limit (`ulimit -u`), then run it again.";
  }
  return undefined;
}
