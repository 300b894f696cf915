import { expect, test } from "vitest";
import { TransientError } from "../runtime/errors.ts";
import { notStarted } from "./not-started.ts";

test.each([
  {
    code: "EAGAIN",
    passes: true,
    message: "Cannot start git: no more processes may be started (`ulimit -u`).",
  },
  {
    code: "EMFILE",
    passes: true,
    message: "Cannot start git: this process has too many files open (`ulimit -n`).",
  },
  { code: "ENFILE", passes: true, message: "Cannot start git: the system has too many files open." },
  { code: "ENOENT", passes: false, message: "Cannot start git." },
])(
  "git that can't be started for $code: that it passes by itself is $passes",
  ({ code, passes, message }) => {
    const cause = Object.assign(new Error(`spawn git ${code}`), { code, syscall: "spawn git" });
    const error = notStarted("git", cause);
    expect(error instanceof TransientError && error.reason === "GitFailed").toBe(passes);
    expect(error).toMatchObject({ message, cause });
  },
);
