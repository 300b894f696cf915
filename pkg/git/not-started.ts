import { TransientError } from "../runtime/errors.ts";

/** Why `file` could not be started. Where the system has only no room for it now, that passes by itself. */
export function notStarted(file: string, cause: NodeJS.ErrnoException): Error {
  if (cause.code === "EAGAIN")
    return new TransientError(
      "GitFailed",
      `Cannot start ${file}: no more processes may be started (\`ulimit -u\`).`,
      { cause },
    );
  return new Error(`Cannot start ${file}.`, { cause });
}
