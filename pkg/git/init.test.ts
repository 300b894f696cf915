import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { Git } from "./git.ts";
import { configText, initialize } from "./init.ts";
import { makeOperatorDirectory } from "./operator-directory.ts";
import { runProcess } from "./process.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bosun-init-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("git reads back every value that a setting was written with", () => {
  const file = join(temporaryFolder(), "config");
  const value = fc.string({ unit: "binary", maxLength: 30 }).filter((text) => !text.includes("\0"));
  fc.assert(
    fc.property(value, (name) => {
      writeFileSync(file, configText({ "user.name": name, "core.bare": "false" }));
      const read = execFileSync("git", ["config", "--file", file, "-z", "--get", "user.name"]);
      expect(read.toString("utf8")).toBe(`${name}\0`);
    }),
    { numRuns: 30 },
  );
});

test("the second git directory costs no process, and git takes it for what `git init` makes", async () => {
  const folder = temporaryFolder();
  let started = 0;
  const git = new Git((request) => {
    started += 1;
    return runProcess(request);
  });
  await initialize(git, join(folder, "first"), { "core.bare": "false" });
  const before = started;
  await initialize(git, join(folder, "second"), { "core.bare": "false", "user.name": 'A "quoted" name' });
  expect(started).toBe(before);

  const place = { gitDirectory: join(folder, "second") };
  expect(await git.text(place, ["rev-parse", "--is-bare-repository"])).toBe("false");
  expect(await git.text(place, ["config", "user.name"])).toBe('A "quoted" name');
  expect(await git.text(place, ["count-objects"])).toBe("0 objects, 0 kilobytes");
});

test("the operator's directory is put right by each operator that starts, whatever the last one left there", async () => {
  const gitDirectory = join(temporaryFolder(), "operator.git");
  await makeOperatorDirectory(new Git(), gitDirectory);
  const made = readFileSync(join(gitDirectory, "config"), "utf8");
  const leave = [
    () => undefined,
    () => writeFileSync(join(gitDirectory, "config"), made.slice(0, 20)),
    () => writeFileSync(join(gitDirectory, "config.lock"), ""),
  ];
  for (const left of leave) {
    left();
    const git = new Git();
    await makeOperatorDirectory(git, gitDirectory);
    expect(readFileSync(join(gitDirectory, "config"), "utf8")).toBe(made);
    expect(await git.text({ gitDirectory }, ["rev-parse", "--is-bare-repository"])).toBe("true");
  }
});
