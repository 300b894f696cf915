import { TransientError } from "../runtime/errors.ts";

/** What the system has no room for just now, by the code of its error. */
const noRoom: Readonly<Record<string, string>> = {
  EAGAIN: "no more processes may be started (`ulimit -u`)",
  EMFILE: "this process has too many files open (`ulimit -n`)",
  ENFILE: "the system has too many files open",
};

/** Why `file` could not be started. Where the system has only no room for it now, that passes by itself. */
export function notStarted(file: string, cause: NodeJS.ErrnoException): Error {
  const why = noRoom[cause.code ?? ""];
  if (why !== undefined) return new TransientError("GitFailed", `Cannot start ${file}: ${why}.`, { cause });
  return new Error(`Cannot start ${file}.`, { cause });
}
