/** File names that git allows, and that have ended who took them for one word, one line or UTF-8. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { scratch } from "./scratch.ts";

test("work with odd file names is saved, checked, reviewed and merged as it is", async () => {
  const here = scratch({ projects: { one: { description: "[test: odd-names]" } } });
  const operator = here.rehearse("--until-settled");
  expect(await operator.exited, operator.output()).toBe(0);

  const args = ["-C", here.repository, "ls-tree", "-z", "--name-only", "rehearsal/main"];
  const names = execFileSync("git", args, { encoding: "latin1" }).split("\0");
  expect(names).toEqual(
    expect.arrayContaining(["caf\u00e9.txt", "new\nline", "a::end", 'q"uote', " blank ", "readme.md"]),
  );
  expect(names).not.toContain("README.md");
  expect(await here.left()).toEqual([]);
});
