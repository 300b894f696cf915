import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { filesAsTheyAre } from "./files-as-they-are.ts";

function checkout(): { folder: string; at(path: string): string } {
  const folder = mkdtempSync(join(tmpdir(), "bosun-files-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const at = (path: string): string => join(folder, path);
  mkdirSync(at(".git"));
  mkdirSync(at("src/.git"), { recursive: true });
  for (const path of ["a", "src/b", "src/.git/config"]) {
    writeFileSync(at(path), "one\n");
    utimesSync(at(path), 1_000, 1_000);
  }
  return { folder, at };
}

/** Waits until the kernel's clock gives another time to what is written next. */
function tick(at: (path: string) => string): void {
  const time = (): bigint => {
    writeFileSync(at(".git/tick"), "");
    return statSync(at(".git/tick"), { bigint: true }).ctimeNs;
  };
  for (const before = time(); time() === before; );
}

test.each<[string, (at: (path: string) => string) => void]>([
  [
    "written to, its length and its time put back",
    (at) => {
      writeFileSync(at("src/b"), "two\n");
      utimesSync(at("src/b"), 1_000, 1_000);
    },
  ],
  [
    "replaced by one that is the same",
    (at) => {
      writeFileSync(at(".git/new"), "one\n");
      renameSync(at(".git/new"), at("src/b"));
    },
  ],
  ["made executable", (at) => chmodSync(at("a"), 0o755)],
  ["removed", (at) => rmSync(at("a"))],
  ["moved", (at) => renameSync(at("a"), at("src/a"))],
  ["added", (at) => writeFileSync(at("src/c"), "")],
  ["given a second name", (at) => linkSync(at("a"), at("src/c"))],
  ["written in a repository inside", (at) => writeFileSync(at("src/.git/config"), "two\n")],
  [
    "a folder now",
    (at) => {
      rmSync(at("a"));
      mkdirSync(at("a"));
    },
  ],
  [
    "a link now",
    (at) => {
      rmSync(at("a"));
      symlinkSync("src/b", at("a"));
    },
  ],
])("files are not as they were when one is %s", (_what, change) => {
  const { folder, at } = checkout();
  const before = filesAsTheyAre(folder);
  tick(at);
  expect(filesAsTheyAre(folder)).toBe(before);

  change(at);

  expect(filesAsTheyAre(folder)).not.toBe(before);
});

test("what can't be told has no name: too many files, no folder", () => {
  const { folder, at } = checkout();
  expect(filesAsTheyAre(at("missing"))).toBeUndefined();
  expect(filesAsTheyAre(folder)).toBeDefined();
  for (let index = 0; index < 1_000; index += 1) writeFileSync(at(`src/${index}`), "");
  expect(filesAsTheyAre(folder)).toBeUndefined();
});
