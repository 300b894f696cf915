import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { editFileTool, readFileTool, writeFileTool } from "./files.ts";
import { type Tool, type Toolbox, toolbox } from "./toolbox.ts";

let root: string;
let checkout: string;
let tools: Toolbox;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "bosun-files-"));
  checkout = join(root, "checkout");
  mkdirSync(join(checkout, ".git"), { recursive: true });
  writeFileSync(join(root, "secret.txt"), "secret\n");
  writeFileSync(join(checkout, "a.txt"), "one\ntwo\nthree\n");
  const all = [readFileTool(checkout), writeFileTool(checkout), editFileTool(checkout)];
  tools = toolbox(all as readonly Tool[], "Go on.");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("files of the checkout", () => {
  test("lines are read from an offset, with what is left", async () => {
    expect(await tools.run("read_file", { path: "a.txt", offset: 2, limit: 1 })).toEqual({
      content: "two\n[1 more lines]",
      isError: false,
    });
  });

  test("a file is written whole into new folders, and shorter text leaves nothing of the longer", async () => {
    await tools.run("write_file", { path: "new/deep/b.txt", content: "a long text" });
    await tools.run("write_file", { path: join(checkout, "new/deep/b.txt"), content: "short" });
    expect(readFileSync(join(checkout, "new/deep/b.txt"), "utf8")).toBe("short");
  });

  test("an edit needs text that occurs exactly once", async () => {
    expect(await tools.run("edit_file", { path: "a.txt", old_text: "four", new_text: "4" })).toMatchObject({
      isError: true,
      content: expect.stringContaining("does not occur"),
    });
    expect(await tools.run("edit_file", { path: "a.txt", old_text: "t", new_text: "T" })).toMatchObject({
      isError: true,
      content: expect.stringContaining("more than once"),
    });
    await tools.run("edit_file", { path: "a.txt", old_text: "two", new_text: "$&2" });
    expect(readFileSync(join(checkout, "a.txt"), "utf8")).toBe("one\n$&2\nthree\n");
  });

  test("input that does not fit the schema is named and not run", async () => {
    const result = await tools.run("write_file", { path: "b.txt" });
    expect(result).toMatchObject({ isError: true, content: expect.stringContaining("content") });
    expect(await tools.run("rm", {})).toMatchObject({
      isError: true,
      content: expect.stringContaining("read_file"),
    });
  });
});

describe("what lies outside is out of reach", () => {
  beforeEach(() => {
    symlinkSync(join(root, "secret.txt"), join(checkout, "link.txt"));
    symlinkSync(root, join(checkout, "folder"));
    symlinkSync("/etc", join(checkout, "etc"));
  });

  test.each([
    ["../secret.txt"],
    ["/etc/passwd"],
    ["link.txt"],
    ["folder/secret.txt"],
    ["etc/passwd"],
    ["new/../../secret.txt"],
    ["folder/new/file.txt"],
    ["."],
    ["folder"],
  ])("%s", async (path) => {
    expect(await tools.run("read_file", { path })).toMatchObject({ isError: true });
    expect(await tools.run("write_file", { path, content: "mine" })).toMatchObject({ isError: true });
    expect(await tools.run("edit_file", { path, old_text: "secret", new_text: "mine" })).toMatchObject({
      isError: true,
    });
    expect(readFileSync(join(root, "secret.txt"), "utf8")).toBe("secret\n");
    expect(readdirSync(root).sort()).toEqual(["checkout", "secret.txt"]);
  });

  test.each([[".git/config"], [".GIT/hooks/pre-commit"], ["sub/.git/config"]])(
    "%s is git's",
    async (path) => {
      expect(await tools.run("write_file", { path, content: "x" })).toMatchObject({ isError: true });
    },
  );

  test("a link into .git is no way in", async () => {
    symlinkSync(join(checkout, ".git"), join(checkout, "innocent"));
    expect(await tools.run("write_file", { path: "innocent/config", content: "x" })).toMatchObject({
      isError: true,
    });
  });
});
