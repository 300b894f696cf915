import { mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeDirectory } from "./blocking-files.ts";
import type { FileSystem } from "./file-system.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { replaceFile } from "./replace-file.ts";
import { type CrashDisk, crashDisk, type ErrorCode } from "./testing/crash-disk.ts";
import { crashFileSystem, faultsOf } from "./testing/crash-file-system.ts";
import { failureOf } from "./testing/every-fault.ts";

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
  await fs.makeDirectory(join(root, "a/z"), 0o700);
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
    { name: "y", kind: "file" },
    { name: "z", kind: "directory" },
  ]);
  expect([...((await fs.names(join(root, "a"))) ?? [])].sort()).toEqual(["y", "z"]);
  const within = join(root, "a/y/within");
  expect([await fs.read(within), await fs.stat(within), await fs.list(within)]).toEqual(
    Array(3).fill(undefined),
  );
  expect(await fs.replaceUnchanged(within, "text", undefined)).toBe(false);
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

test("a file that can't be read is not taken for one that isn't there: it is left", async () => {
  const fs = crashFileSystem();
  fs.put("/root/x", "a person's");
  fs.put("/root/new", "new");
  fs.failAfter(0, { code: "EACCES", lasting: false });
  await expect(fs.replaceUnchanged("/root/x", undefined, "/root/new")).rejects.toThrow("EACCES");
  expect((await fs.read("/root/x"))?.toString()).toBe("a person's");
});

test.each(["EIO", "EACCES", "EMFILE"] as const)(
  "what can't be looked at is not taken for absent: %s",
  async (code) => {
    const looks: [name: string, look: (fs: FileSystem) => Promise<unknown>][] = [
      ["read", (fs) => fs.read("/root/x")],
      ["pieces", (fs) => Array.fromAsync(fs.pieces("/root/x"))],
      ["stat", (fs) => fs.stat("/root/x")],
      ["list", (fs) => fs.list("/root")],
      ["names", (fs) => fs.names("/root")],
      ["realPath", (fs) => fs.realPath("/root/x")],
    ];
    for (const [name, look] of looks) {
      const fs = crashFileSystem();
      fs.put("/root/x", "x");
      await look(fs);
      const [call] = fs.made;
      if (call === undefined || !faultsOf[call].includes(code)) continue;
      fs.failAfter(0, { code, lasting: false });
      await expect(look(fs), name).rejects.toMatchObject({ code });
    }
  },
);

const folderMakers: [name: string, make: (disk: CrashDisk, path: string) => Promise<void>][] = [
  ["makeDirectory", (disk, path) => crashFileSystem(disk).makeDirectory(path, 0o700)],
  ["makeDirectory, blocking", async (disk, path) => makeDirectory(path, 0o700, disk.blockingCalls)],
];

describe.each(folderMakers)("%s", (_name, make) => {
  const path = "/home/person/folder";

  /** What becomes of making it when the last look at its parent fails. */
  async function withLastOpenFailing(disk: CrashDisk, code: ErrorCode): Promise<unknown> {
    const undisturbed = disk.afterKill();
    await make(undisturbed, path);
    disk.failAfter(undisturbed.made.lastIndexOf("open"), { code, lasting: false });
    return failureOf(make(disk, path));
  }

  test("is done with a folder that is there, though its parent may not be looked into", async () => {
    const disk = crashDisk();
    disk.put(`${path}/file`, "");
    expect(await withLastOpenFailing(disk.afterKill(), "EACCES")).toBeUndefined();
    expect(await withLastOpenFailing(disk.afterKill(), "EIO")).toMatchObject({ code: "EIO" });
  });

  test("fails where what it made can't be synced", async () => {
    expect(await withLastOpenFailing(crashDisk(), "EACCES")).toMatchObject({ code: "EACCES" });
  });

  test("is done with a folder that another makes in that moment, and fails where none can be made", async () => {
    for (const code of ["EEXIST", "EROFS"]) {
      const disk = crashDisk();
      const fail = () => {
        disk.blockingCalls.mkdirSync("/made", { mode: 0o700 });
        throw Object.assign(new Error(code), { code });
      };
      const other: CrashDisk = {
        ...disk,
        calls: { ...disk.calls, mkdir: async () => fail() },
        blockingCalls: { ...disk.blockingCalls, mkdirSync: fail },
      };
      const error = await failureOf(make(other, "/made"));
      if (code === "EEXIST") expect(error).toBeUndefined();
      else expect(error).toMatchObject({ code });
    }
  });
});
