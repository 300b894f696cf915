/** That the oldest Node can read what Bosun is made of. test/e2e/package.test.ts has it work with that. */
import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { findOldestNode, oldestVersion } from "./find.ts";

const root = path.resolve(import.meta.dirname, "../..");
const node = findOldestNode();
const reader = path.join(import.meta.dirname, "unreadable.mjs");

test.skipIf(node === undefined)(`Node ${oldestVersion} can read each source that a person runs`, () => {
  const all = globSync(["{cmd,controllers,pkg}/**/*.ts", "bin/*.mjs"], { cwd: root });
  const run = all.filter((file) => !file.endsWith(".test.ts"));
  expect(run.length).toBeGreaterThan(500);
  const args = ["--no-warnings", "--experimental-vm-modules", reader];
  const unreadable = execFileSync(node ?? "", args, {
    cwd: root,
    input: JSON.stringify(run),
    encoding: "utf8",
  });
  expect(JSON.parse(unreadable)).toEqual([]);
});
