import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Git } from "./git.ts";
import { runProcess } from "./process.ts";
import { changeRefs, type RefChange, readRef } from "./refs.ts";

let folder: string;
let asked: number;
const git = new Git((request) => {
  asked += 1;
  return runProcess(request);
});
const inFolder = (...args: string[]): string =>
  execFileSync("git", args, { cwd: folder, encoding: "utf8" }).trim();
const read = (ref: string) => readRef(git, { gitDirectory: folder }, ref);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bosun-refs-"));
  inFolder("init", "--quiet", "--bare", ".");
  asked = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a ref that is not there takes no process to say so, whether others are packed or not", async () => {
  const blob = inFolder("hash-object", "-w", "HEAD");
  inFolder("update-ref", "refs/bosun/there", blob);
  expect(await read("refs/bosun/missing")).toBeUndefined();
  inFolder("pack-refs", "--all");
  expect(await read("refs/bosun/missing")).toBeUndefined();
  expect(await read("refs/bosun/there/not")).toBeUndefined();
  expect(await read("refs/bosun/there")).toBe(blob);
  expect(asked).toBe(0);
});

test.each([
  ["in a file of its own", () => writeFileSync(join(folder, "refs/broken"), `${"1".repeat(40)}\n`)],
  ["packed", () => writeFileSync(join(folder, "packed-refs"), `${"1".repeat(40)} refs/broken\n`)],
])("a ref %s whose object is missing is no ref that is not there", async (_where, write) => {
  write();
  expect(await read("refs/broken")).toBe("1".repeat(40));
});

test.each([
  ["a process for each", git],
  ["one process", new Git()],
])(
  "a change that expects a ref elsewhere makes none of the changes beside it either, by %s",
  async (_how, by) => {
    const [here, elsewhere] = ["one\n", "two\n"].map((input) =>
      execFileSync("git", ["hash-object", "-w", "--stdin"], { cwd: folder, encoding: "utf8", input }).trim(),
    );
    inFolder("update-ref", "refs/bosun/moved", here ?? "");
    const ref = "refs/bosun/moved";
    const beside: RefChange = { do: "move", ref: "refs/bosun/beside", from: undefined, to: here };
    const wrong: RefChange[] = [
      { do: "verify", ref, is: elsewhere },
      { do: "verify", ref, is: undefined },
      { do: "move", ref, from: elsewhere, to: here },
      { do: "move", ref, from: undefined, to: elsewhere },
      { do: "move", ref, from: elsewhere, to: undefined },
      { do: "verify", ref: "refs/bosun/gone", is: here },
      { do: "move", ref: "refs/bosun/gone", from: here, to: elsewhere },
      { do: "move", ref: "refs/bosun/gone", from: here, to: undefined },
    ];
    for (const change of wrong) {
      expect(await changeRefs(by, { gitDirectory: folder }, [beside, change], "test"), change.do).toBe(false);
      expect([await read(ref), await read(beside.ref)]).toEqual([here, undefined]);
    }
  },
);
