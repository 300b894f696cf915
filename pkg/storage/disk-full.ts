import { TransientError } from "../runtime/errors.ts";
import { codeOf } from "./file-calls.ts";

/** What a full disk beneath `directory` means to who waits for it; any other error as it is. */
export function asDiskFull(error: unknown, directory: string): unknown {
  if (codeOf(error) !== "ENOSPC" && codeOf(error) !== "EDQUOT") return error;
  return new TransientError(
    "DiskFull",
    `The disk of ${directory} is full. Free some space there: it goes on by itself.`,
    { cause: error },
  );
}

/** `part`, whose methods say `asDiskFull` when the disk of `directory` is full: it passes, and is no bug of theirs. */
export function tellingDiskFull<T extends object>(part: T, directory: string): T {
  return new Proxy(part, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(member, target, args);
        if (!(answer instanceof Promise)) return answer;
        return answer.catch((error: unknown) => {
          throw asDiskFull(error, directory);
        });
      };
    },
  });
}
