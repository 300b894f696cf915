/** What a person can do where a program that Bosun runs is not there. */

/** What to do about `error`, or about what caused it; undefined when no program was missing. */
export function programAdvice(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, syscall, path } = at as NodeJS.ErrnoException;
    if (code === "ENOENT" && syscall?.startsWith("spawn") === true)
      return `There is no \`${path ?? "program"}\` on PATH. Install it, then run it again.`;
  }
  return undefined;
}
