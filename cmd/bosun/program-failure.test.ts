import { expect, test } from "vitest";
import { programAdvice } from "./program-failure.ts";

const spawning = (code: string): Error =>
  new Error("Cannot start git.", {
    cause: Object.assign(new Error(code), { code, syscall: "spawn git", path: "git" }),
  });

test.each<[string, unknown, RegExp | undefined]>([
  ["a program that is not there", spawning("ENOENT"), /^There is no `git` on PATH/],
  ["too many processes", spawning("EAGAIN"), /^The system starts no more processes .*`ulimit -u`/],
  ["another code", spawning("E2BIG"), undefined],
  ["a file that is not there", Object.assign(new Error("x"), { code: "ENOENT", syscall: "open" }), undefined],
  ["a socket that is busy", Object.assign(new Error("x"), { code: "EAGAIN", syscall: "connect" }), undefined],
])("%s is told with what to do, or left to others", (_what, error, wanted) => {
  if (wanted === undefined) expect(programAdvice(error)).toBeUndefined();
  else expect(programAdvice(error)).toMatch(wanted);
});
