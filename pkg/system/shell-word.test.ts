import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { shellWord } from "./shell-word.ts";

test("a shell reads every word as it was, and one that needs no quotes has none", () => {
  const anyWords = fc.array(
    fc.string({ unit: "grapheme" }).filter((word) => !word.includes("\0")),
    { minLength: 200, maxLength: 300 },
  );
  fc.assert(
    fc.property(anyWords, (words) => {
      const line = `printf '%s\\0' ${words.map(shellWord).join(" ")}`;
      expect(execFileSync("sh", ["-c", line], { encoding: "utf8" }).split("\0").slice(0, -1)).toEqual(words);
    }),
    { numRuns: 5 },
  );
  expect(shellWord("--format=refs/heads/a")).toBe("--format=refs/heads/a");
  expect(shellWord("%(refname) it's")).toBe("'%(refname) it'\\''s'");
});
