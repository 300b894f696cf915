import { expect, test } from "vitest";
import { diskAdvice, fullDiskIn } from "./disk-failure.ts";

const coded = (code: string): Error => Object.assign(new Error(code), { code });

test.each<[string, unknown, RegExp | undefined]>([
  ["a full disk", coded("ENOSPC"), /^The disk is full.* acknowledged is kept\.$/],
  ["a storage that failed because of one", new Error("failed", { cause: coded("ENOSPC") }), /disk is full/],
  ["a folder that can't be written", coded("EROFS"), /read-only/],
  ["a link that leads to itself", coded("ELOOP"), /symbolic link/],
  ["too many open files", coded("EMFILE"), /ulimit/],
  ["too many watched files", Object.assign(coded("ENOSPC"), { syscall: "watch" }), /max_user_watches/],
  ["a TMPDIR that is not there", Object.assign(coded("ENOENT"), { syscall: "mkdtemp" }), /^TMPDIR names/],
  ["another code", coded("ECONNREFUSED"), undefined],
  ["no error of the system", new Error("ENOSPC"), undefined],
  ["no error at all", "ENOSPC", undefined],
])("%s is told with what to do, or left to others", (_what, error, wanted) => {
  if (wanted === undefined) expect(diskAdvice(error)).toBeUndefined();
  else expect(diskAdvice(error)).toMatch(wanted);
});

test.each<[string, unknown, boolean]>([
  ["a full disk", coded("ENOSPC"), true],
  ["a quota that is used up", coded("EDQUOT"), true],
  ["a storage that failed because of one", new Error("failed", { cause: coded("ENOSPC") }), true],
  ["too many watched files", Object.assign(coded("ENOSPC"), { syscall: "watch" }), false],
  ["a disk that fails", coded("EIO"), false],
  ["no error at all", "ENOSPC", false],
])("%s passes when somebody frees space, or does not", (_what, error, passes) => {
  expect(fullDiskIn(error) !== undefined).toBe(passes);
});
