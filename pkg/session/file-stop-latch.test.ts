import { execFileSync } from "node:child_process";
import {
  existsSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { uniform } from "../../test/support/uniform.ts";
import { TestClock } from "../runtime/testing/clock.ts";
import type { FileSystem } from "../storage/file-system.ts";
import { nodeFileSystem } from "../storage/node-file-system.ts";
import { crashFileSystem } from "../storage/testing/crash-file-system.ts";
import { isEngaged, stopIsUnsettled } from "../system/latch-files.ts";
import { type LatchLook, watchLatch } from "../system/latch-watch.ts";
import { systemClock as clock } from "../system/system.ts";
import { fileStopLatch, followedLatch } from "./file-stop-latch.ts";

const path = "/workspace/.bosun/stop";

async function emptyDisk() {
  const disk = crashFileSystem();
  await disk.makeDirectory("/workspace", 0o755);
  return disk;
}

function temporaryLatch() {
  const folder = mkdtempSync(join(tmpdir(), "bosun-latch-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "stop");
  return { file, latch: fileStopLatch(file) };
}

test("a stop that was said to be safe survives a power loss, and so do its release and that this was taken in", async () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = { next: uniform(seed) };
    const disk = await emptyDisk();
    const before = fileStopLatch(path, disk);
    await before.engage("why");
    const { engaged } = await before.look();
    const after = disk.afterCrash(random);
    const latch = fileStopLatch(path, after);
    // The same stop, which says why.
    expect(await latch.look(), `seed ${seed}`).toEqual({ engaged, released: undefined });
    await latch.release();
    const later = after.afterCrash(random);
    const releasedLatch = fileStopLatch(path, later);
    expect(await releasedLatch.look(), `seed ${seed}`).toEqual({ engaged: undefined, released: engaged });
    await releasedLatch.settle();
    const last = fileStopLatch(path, later.afterCrash(random));
    expect(await last.look(), `seed ${seed}`).toEqual({ engaged: undefined, released: undefined });
  }
});

test("a latch whose writing a power loss cut short either stands or doesn't, and can be engaged again", async () => {
  for (let steps = 0; steps < 12; steps += 1) {
    const disk = await emptyDisk();
    disk.crashAfter(steps);
    await fileStopLatch(path, disk)
      .engage("why")
      .catch(() => undefined);
    const after = disk.afterCrash({ next: uniform(steps) });
    const latch = fileStopLatch(path, after);
    await latch.look();
    await latch.engage("again");
    expect(await latch.engaged()).toBe(true);
  }
});

test.each(["released", "engaged anew"] as const)(
  "a latch that is %s while it is looked at is given no name of its own",
  async (what) => {
    const { file, latch } = temporaryLatch();
    await latch.engage("one");
    let reads = 0;
    const read: FileSystem["read"] = async (path) => {
      reads += 1;
      if (reads === 1) await (what === "released" ? latch.release() : latch.engage("two"));
      return nodeFileSystem.read(path);
    };
    const seen = await fileStopLatch(file, { ...nodeFileSystem, read }).look();
    expect(seen).toEqual(await latch.look());
  },
);

test("a touched latch is a stop, and touched again another one", async () => {
  const { file, latch } = temporaryLatch();
  writeFileSync(file, "");
  const first = await latch.look();
  expect(first.engaged).toBeDefined();
  expect(await latch.look()).toEqual(first);
  utimesSync(file, 1, 1);
  expect((await latch.look()).engaged).not.toBe(first.engaged);
});

test.each<[string, (file: string) => void]>([
  ["a folder", (file) => mkdirSync(file)],
  ["a link that leads nowhere", (file) => symlinkSync("/nowhere", file)],
  ["a link that leads to itself", (file) => symlinkSync(file, file)],
  ["a link to a file", (file) => symlinkSync(fileURLToPath(import.meta.url), file)],
  ["a link to a folder", (file) => symlinkSync("/", file)],
  ["a pipe", (file) => void execFileSync("mkfifo", [file])],
])("%s in the latch's place is a stop for all who look, and is released as one", async (_, put) => {
  const { file, latch } = temporaryLatch();
  put(file);
  const seen = await latch.look();
  expect(seen).toEqual({ engaged: expect.any(String), released: undefined });
  expect([await latch.engaged(), isEngaged(file)]).toEqual([true, true]);
  expect(await latch.look()).toEqual(seen);

  await latch.release(seen.engaged);
  expect(await latch.look()).toEqual({ engaged: undefined, released: seen.engaged });
  expect([await latch.engaged(), isEngaged(file), stopIsUnsettled(file)]).toEqual([false, false, true]);
  await latch.settle();
  expect(await latch.look()).toEqual({ engaged: undefined, released: undefined });
  expect(stopIsUnsettled(file)).toBe(false);
});

test("a latch that may not be read is a stop, and is released as one", async () => {
  const { file, latch } = temporaryLatch();
  await latch.engage("why");
  const read: FileSystem["read"] = async (path) => {
    throw Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: "EACCES" });
  };
  const hidden = fileStopLatch(file, { ...nodeFileSystem, read });
  const { engaged } = await hidden.look();
  expect(engaged).toBeDefined();
  await hidden.release(engaged);
  expect(await hidden.look()).toEqual({ engaged: undefined, released: engaged });
});

test("a stop that begins while a link leads nowhere in its latch's place takes that place", async () => {
  const { file, latch } = temporaryLatch();
  symlinkSync("/nowhere/at-all", file);
  const before = await latch.look();
  await latch.engage("why");
  expect(readFileSync(file, "utf8")).toBe("why\n");
  expect((await latch.look()).engaged).not.toBe(before.engaged);
});

test("a link that comes into the latch's place, is touched or leads to what was touched is heard of", async () => {
  const { file } = temporaryLatch();
  const behind = `${file}.behind`;
  const time = new TestClock();
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const watch = watchLatch(file, time, over.signal);
  const heard: LatchLook[] = [];
  watch.follow((look) => heard.push(look), over.signal);
  const lookAfter = async (change: () => void): Promise<LatchLook[]> => {
    change();
    await time.advance(200);
    return heard.splice(0);
  };
  const news = [{ isEngaged: true, hasChanged: true }];
  expect(await lookAfter(() => symlinkSync(behind, file))).toEqual(news);
  expect(await lookAfter(() => {})).toEqual([{ isEngaged: true, hasChanged: false }]);
  expect(await lookAfter(() => lutimesSync(file, 1, 1))).toEqual(news);
  expect(await lookAfter(() => writeFileSync(behind, ""))).toEqual(news);
  expect(await lookAfter(() => utimesSync(behind, 1, 1))).toEqual(news);
});

test("another stop while one is in force has a name of its own, and no trace of what was released before", async () => {
  const { file, latch } = temporaryLatch();
  const isThere: boolean[] = [];
  await latch.engage("one", () => isThere.push(existsSync(file)));
  await latch.release();
  const { released } = await latch.look();
  expect(released).toBeDefined();
  await latch.engage("two", () => isThere.push(existsSync(file)));
  // Who is told that everybody sees it relies on that.
  expect(isThere).toEqual([true, true]);
  const second = await latch.look();
  expect(second).toMatchObject({ released: undefined });
  expect(second.engaged).not.toBe(released);
});

test("a stop that is released as soon as it is seen is known as released", async () => {
  const { file, latch } = temporaryLatch();
  const fs: FileSystem = {
    ...nodeFileSystem,
    async rename(from, to) {
      await nodeFileSystem.rename(from, to);
      await latch.release();
    },
  };
  await fileStopLatch(file, fs).engage("one");
  expect(await latch.look()).toEqual({ engaged: undefined, released: expect.any(String) });
});

test("releasing what is not engaged keeps the name of what was released", async () => {
  const { latch } = temporaryLatch();
  await latch.engage("one");
  await latch.release();
  const before = await latch.look();
  await latch.release();
  expect(await latch.look()).toEqual(before);
  await latch.settle();
  expect(await latch.look()).toEqual({ engaged: undefined, released: undefined });
});

test("a stop that begins while the one before it is being released stays in force", async () => {
  const { file, latch } = temporaryLatch();
  await latch.engage("one");
  const { engaged: one } = await latch.look();
  let touches = 1;
  const fs: FileSystem = {
    ...nodeFileSystem,
    async rename(from, to) {
      if (touches > 0) writeFileSync(file, "two");
      touches -= 1;
      await nodeFileSystem.rename(from, to);
    },
  };
  await fileStopLatch(file, fs).release(one);
  const two = await latch.look();
  expect(two).toEqual({ engaged: expect.any(String), released: undefined });
  expect(two.engaged).not.toBe(one);

  const inForce: boolean[] = [];
  const watched: FileSystem = {
    ...nodeFileSystem,
    async rename(from, to) {
      await nodeFileSystem.rename(from, to);
      inForce.push(existsSync(file));
    },
  };
  await fileStopLatch(file, watched).release(one);
  // Not even for a moment, in which a session might be started.
  expect(inForce).not.toContain(false);
  expect(await latch.look()).toEqual(two);
  await latch.release(two.engaged);
  expect(await latch.look()).toEqual({ engaged: undefined, released: two.engaged });
});

test("whoever follows it hears of a touch by anybody", async () => {
  const { file } = temporaryLatch();
  const following = new AbortController();
  const watch = watchLatch(file, clock, following.signal);
  const woken = new Promise<void>((resolve) => followedLatch(watch).subscribe(resolve, following.signal));
  writeFileSync(file, "");
  await woken;
  following.abort();
});

test("on a full disk a stop is in force all the same, though it can't say why", async () => {
  const disk = await emptyDisk();
  const latch = fileStopLatch(path, disk);
  const before = disk.made.length;
  await latch.engage("why");
  const writing = disk.made.indexOf("write", before) - before;
  const full = await emptyDisk();
  full.failAfter(writing, { code: "ENOSPC", lasting: false });
  const late = fileStopLatch(path, full);
  await late.engage("why");
  expect(full.hasFailed).toBe(true);
  expect(await late.engaged()).toBe(true);
});

test("a folder that a person made is a latch too: released, engaged again over it, and no later one is in its way", async () => {
  const { file, latch } = temporaryLatch();
  const rounds = [
    () => mkdirSync(file),
    () => writeFileSync(file, ""),
    () => mkdirSync(join(file, "mine"), { recursive: true }),
    () => mkdirSync(file),
  ];
  for (const touch of rounds) {
    touch();
    const { engaged: first } = await latch.look();
    await latch.engage("why");
    const { engaged, released } = await latch.look();
    expect(engaged).not.toBe(first);
    expect(released).toBeUndefined();
    await latch.release(engaged);
    expect(await latch.look()).toEqual({ engaged: undefined, released: engaged });
  }
  await latch.settle();
  expect(await latch.look()).toEqual({ engaged: undefined, released: undefined });
  const kept = readdirSync(dirname(file), { recursive: true });
  expect(kept.filter((name) => String(name).endsWith("mine"))).toHaveLength(1);
});

test("a file and a folder that were touched one after the other are released one after the other", async () => {
  const { file, latch } = temporaryLatch();
  for (const touch of [() => mkdirSync(file), () => writeFileSync(file, ""), () => mkdirSync(file)]) {
    touch();
    const { engaged } = await latch.look();
    await latch.release(engaged);
    expect(await latch.look()).toEqual({ engaged: undefined, released: engaged });
  }
});
