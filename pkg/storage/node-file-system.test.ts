import { mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FileSystem } from "./file-system.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { replaceFile } from "./replace-file.ts";
import { crashFileSystem } from "./testing/crash-file-system.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bosun-fs-"));
});
afterEach(() => rm(folder, { recursive: true }));

// The same questions to the disk and to its twin, so that the twin stays honest.
const both: [name: string, open: () => { fs: FileSystem; root: string }][] = [
  ["the disk", () => ({ fs: nodeFileSystem, root: folder })],
  [
    "the disk in memory",
    () => {
      const fs = crashFileSystem();
      fs.put("/root/.keep", "");
      return { fs, root: "/root" };
    },
  ],
];

test.each(both)("%s creates, appends, reads, lists, renames and removes", async (_name, open) => {
  const { fs, root } = open();
  await fs.makeDirectory(join(root, "a/b"), 0o700);
  const file = await fs.create(join(root, "a/x"), 0o640);
  await file.write(Buffer.from("one "));
  await file.write(Buffer.from("two"));
  await file.datasync();
  await file.close();
  await expect(fs.create(join(root, "a/x"), 0o600)).rejects.toMatchObject({ code: "EEXIST" });
  expect((await fs.read(join(root, "a/x")))?.toString()).toBe("one two");
  expect(await fs.stat(join(root, "a/x"))).toMatchObject({ kind: "file", size: 7, mode: 0o640 });
  await fs.rename(join(root, "a/x"), join(root, "a/y"));
  await fs.syncDirectory(join(root, "a"));
  expect(await fs.list(join(root, "a"))).toEqual([
    { name: "b", kind: "directory" },
    { name: "y", kind: "file" },
  ]);
  await fs.remove(join(root, "a/y"));
  await fs.remove(join(root, "a/y"));
  expect(await fs.read(join(root, "a/y"))).toBeUndefined();
  expect(await fs.stat(join(root, "nowhere/at/all"))).toBeUndefined();
  expect(await fs.list(join(root, "nowhere"))).toBeUndefined();
  expect(await fs.realPath(join(root, "nowhere"))).toBe(join(root, "nowhere"));
});

test("a replacement keeps the mode it is given, whatever the umask, and leaves no temporary file", async () => {
  const path = join(folder, "x.yaml");
  await writeFile(path, "old");
  expect(await replaceFile(nodeFileSystem, path, [Buffer.from("new")], 0o666)).toBe(true);
  expect(await readFile(path, "utf8")).toBe("new");
  expect((await stat(path)).mode & 0o777).toBe(0o666);
  expect(await nodeFileSystem.list(folder)).toEqual([{ name: "x.yaml", kind: "file" }]);
});

test.each(both)("%s replaces and removes what is unchanged, and nothing else", async (_name, open) => {
  const { fs, root } = open();
  const [path, by] = [join(root, "x"), join(root, "new")];
  const put = (text: string) => replaceFile(fs, by, [Buffer.from(text)], 0o600);
  await put("one");
  expect(await fs.replaceUnchanged(path, "zero", by)).toBe(false);
  expect(await fs.replaceUnchanged(path, undefined, by)).toBe(true);
  await put("two");
  expect(await fs.replaceUnchanged(path, undefined, by)).toBe(false);
  expect(await fs.replaceUnchanged(path, "one", by)).toBe(true);
  expect(await fs.replaceUnchanged(path, "one", undefined)).toBe(false);
  expect((await fs.read(path))?.toString()).toBe("two");
  expect(await fs.replaceUnchanged(path, "two", undefined)).toBe(true);
  expect(await fs.read(path)).toBeUndefined();
});

test("a replacement of a file that changed meanwhile leaves it", async () => {
  const path = join(folder, "x.yaml");
  await writeFile(path, "old");
  expect(await replaceFile(nodeFileSystem, path, [Buffer.from("new")], 0o600, { over: "older" })).toBe(false);
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await nodeFileSystem.list(folder)).toHaveLength(1);
});

test("a link leads to its file", async () => {
  await writeFile(join(folder, "x"), "");
  await symlink("x", join(folder, "link"));
  expect(await nodeFileSystem.realPath(join(folder, "link"))).toBe(
    await nodeFileSystem.realPath(join(folder, "x")),
  );
});
