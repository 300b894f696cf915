import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchFolder } from "./watch-folder.ts";

let scratch: string;
let folder: string;
let wakes: number;
let stop: () => Promise<void>;
let woken: PromiseWithResolvers<void>;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "bosun-watch-"));
  folder = join(scratch, "people");
  await mkdir(join(folder, "projects/old"), { recursive: true });
  wakes = 0;
  woken = Promise.withResolvers();
  stop = await watchFolder(folder, () => {
    wakes += 1;
    woken.resolve();
  });
});

afterEach(async () => {
  await stop();
  await rm(scratch, { recursive: true });
});

/** Does something and waits until the watch has told of it, of nothing that was before. */
async function tellsOf(work: () => Promise<unknown>): Promise<void> {
  await toldAll();
  woken = Promise.withResolvers();
  await work();
  await woken.promise;
}

/** What the system has to tell by now is told in the next turn of the loop. */
async function toldAll(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate);
}

test("edits, new files and files that take the place of others are told of, at any depth", async () => {
  for (const below of ["", "projects", "projects/old"]) {
    const file = join(folder, below, "a.yaml");
    await tellsOf(() => writeFile(file, "a: 1"));
    await tellsOf(() => writeFile(file, "a: 2"));
    await tellsOf(async () => {
      await writeFile(`${file}.tmp`, "a: 3");
      await rename(`${file}.tmp`, file);
    });
    await tellsOf(() => rm(file));
  }
});

test("a folder that is made, removed and made again is watched each time", async () => {
  const made = join(folder, "projects/new");
  for (const name of ["one.yaml", "two.yml"]) {
    await tellsOf(() => mkdir(join(made, "deep"), { recursive: true }));
    await tellsOf(() => writeFile(join(made, "deep", name), "a: 1"));
    await tellsOf(() => rm(made, { recursive: true }));
  }
});

test("a folder that another takes the place of is watched as it is now", async () => {
  await mkdir(join(scratch, "other"));
  await tellsOf(() => rename(join(folder, "projects/old"), join(scratch, "away")));
  await tellsOf(() => rename(join(scratch, "other"), join(folder, "projects/old")));
  await tellsOf(() => writeFile(join(folder, "projects/old/a.yaml"), "a: 1"));
});

test("what is no person's file wakes nobody", async () => {
  await writeFile(join(scratch, "a.yaml"), "a: 1");
  await mkdir(join(scratch, ".bosun"));
  await rename(join(scratch, ".bosun"), join(folder, ".bosun"));
  for (let write = 0; write < 10; write += 1) {
    const file = join(folder, "agent-1.session");
    await writeFile(`${file}.tmp`, String(write));
    await rename(`${file}.tmp`, file);
    await writeFile(join(folder, ".bosun/hidden.yaml"), String(write));
    await writeFile(join(folder, ".a.yaml.swp"), String(write));
  }
  await toldAll();
  expect(wakes).toBe(0);
  await tellsOf(() => rename(join(scratch, "a.yaml"), join(folder, "a.yaml")));
});
