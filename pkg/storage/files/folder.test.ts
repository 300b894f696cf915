import { beforeEach, expect, test } from "vitest";
import { settled, TestClock } from "../../runtime/testing/clock.ts";
import type { FileStat, FileSystem } from "../file-system.ts";
import { crashFileSystem } from "../testing/crash-file-system.ts";
import { type FolderContent, glanceAt, openFolder } from "./folder.ts";

const folder = "/repository/.claude-sessions";

let disk: ReturnType<typeof crashFileSystem>;
let clock: TestClock;
let content: FolderContent | undefined;

beforeEach(() => {
  disk = crashFileSystem();
  clock = new TestClock();
  content = undefined;
  disk.put(`${folder}/a.yaml`, "a: 1");
  disk.put(`${folder}/projects/b.yaml`, "b: 1");
});

/** Begins to read the folder; what comes of it is in `content` once it is there. */
async function read(glance?: Awaited<ReturnType<typeof glanceAt>>): Promise<void> {
  const reading = openFolder({ folder, fs: disk, clock }, glance).read(new Map());
  void reading.then((read) => {
    content = read;
  });
  for (let turn = 0; turn < 50; turn += 1) await settled();
}

const glance = () => glanceAt({ folder, fs: disk, clock });
const bothFiles = new Map([
  ["a.yaml", "a: 1"],
  ["projects/b.yaml", "b: 1"],
]);

test("a file that is new counts when it has stayed as it is for 50 ms", async () => {
  await read();
  expect(content).toBeUndefined();
  await clock.advance(50);
  await settled();
  expect(content?.files).toEqual(bothFiles);
});

test("files that were seen 50 ms ago and are as they were need not be waited for", async () => {
  const seen = await glance();
  await clock.advance(50);
  await read(seen);
  expect(content?.files).toEqual(bothFiles);
});

test("what is left of the 50 ms since an earlier look is waited for", async () => {
  const seen = await glance();
  await clock.advance(30);
  await read(seen);
  await clock.advance(19);
  expect(content).toBeUndefined();
  await clock.advance(1);
  expect(content?.files).toEqual(bothFiles);
});

test("a file that changed since the earlier look is waited for as if there had been none", async () => {
  const seen = await glance();
  await clock.advance(60_000);
  disk.put(`${folder}/a.yaml`, "a: 12");
  await read(seen);
  await clock.advance(49);
  expect(content).toBeUndefined();
  disk.put(`${folder}/a.yaml`, "a: 123");
  await clock.advance(1);
  expect(content?.files.get("a.yaml")).toBeUndefined();
  expect(content?.files.get("projects/b.yaml")).toBe("b: 1");
});

test.each<Partial<FileStat>>([{ size: 7 }, { mtimeNs: 7n }, { ino: 7n }])(
  "a change that shows by %o alone is seen: by no cache, and not for whole while it goes on",
  async (change) => {
    let [text, changed] = ["a: 1", {}];
    const fs: FileSystem = {
      ...disk,
      read: async (path) => (path === `${folder}/a.yaml` ? Buffer.from(text) : disk.read(path)),
      async stat(path) {
        const found = await disk.stat(path);
        return found?.kind === "file" ? { ...found, size: 4, mtimeNs: 4n, ino: 4n, ...changed } : found;
      },
    };
    const patient = { now: () => 0, elapsed: () => 0, sleep: async () => meanwhile() };
    let meanwhile = () => {};
    const open = openFolder({ folder, fs, clock: patient });
    const textOfA = async () => (await open.read(new Map()))?.files.get("a.yaml");
    expect(await textOfA()).toBe("a: 1");
    text = "a: 2";
    expect(await textOfA()).toBe("a: 1");
    changed = change;
    expect(await textOfA()).toBe("a: 2");
    // Half of it is read, then the rest comes.
    [text, changed] = ["a:", {}];
    meanwhile = () => {
      [text, changed] = ["a: 3", change];
    };
    expect(await textOfA()).toBeUndefined();
  },
);
