import { TransientError } from "../runtime/errors.ts";
import { codeOf } from "../storage/file-calls.ts";

/** What a full disk beneath `directory` means to who waits for a session; any other error as it is. */
export function asDiskFull(error: unknown, directory: string): unknown {
  if (codeOf(error) !== "ENOSPC" && codeOf(error) !== "EDQUOT") return error;
  return new TransientError(
    "DiskFull",
    `The disk of ${directory} is full. Free some space there: it goes on by itself.`,
    { cause: error },
  );
}
