import * as realFs from "node:fs";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { RotatingFile } from "./rotating-file.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function scratchFile(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-rotating-"));
  folders.push(folder);
  return path.join(folder, "a.log");
}

/** What each file of the folder holds, by name. */
function contents(file: string): Record<string, string> {
  const folder = path.dirname(file);
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), "utf8")]),
  );
}

test("a full file becomes the newest predecessor, and the oldest of them is lost", () => {
  const file = scratchFile();
  const log = new RotatingFile({ path: file, bytesMax: 10, kept: 2 });
  for (const text of ["one 1\n", "2\n", "three\n", "fourth\n", "five\n", "six\n", "7\n"]) log.append(text);
  expect(contents(file)).toEqual({ "a.log": "7\n", "a.log.1": "five\nsix\n", "a.log.2": "fourth\n" });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("files never take more than was said, whatever is written; bytes count, not characters", () => {
  const file = scratchFile();
  const log = new RotatingFile({ path: file, bytesMax: 100, kept: 3 });
  const sizes: number[] = [];
  for (let count = 0; count < 200; count += 1) {
    log.append(`${"é".repeat(count % 40)}\n`);
    sizes.push(statSync(file).size);
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  expect(Object.keys(contents(file))).toEqual(["a.log", "a.log.1", "a.log.2", "a.log.3"]);
});

test("a text longer than a file is written whole, into a file of its own", () => {
  const file = scratchFile();
  const log = new RotatingFile({ path: file, bytesMax: 5, kept: 3 });
  for (const text of ["a\n", "much too long\n", "b\n"]) log.append(text);
  expect(contents(file)).toEqual({ "a.log": "b\n", "a.log.1": "much too long\n", "a.log.2": "a\n" });
});

test("a file that was left by another process goes on, and one that is moved away meanwhile begins anew", () => {
  const file = scratchFile();
  writeFileSync(file, "old\n");
  const log = new RotatingFile({ path: file, bytesMax: 100, kept: 1 });
  log.append("new\n");
  realFs.renameSync(file, `${file}.moved`);
  log.append("newer\n");
  expect(contents(file)).toEqual({ "a.log": "newer\n", "a.log.moved": "old\nnew\n" });
});

test("what a full disk took half of is taken back, so that the next line is whole", () => {
  const file = scratchFile();
  let isFull = false;
  const appendFileSync: typeof realFs.appendFileSync = (to, text, options) => {
    realFs.appendFileSync(to, isFull ? String(text).slice(0, 3) : text, options);
    if (isFull) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  };
  const log = new RotatingFile({ path: file, bytesMax: 12, kept: 1, fs: { ...realFs, appendFileSync } });
  log.append("before\n");
  isFull = true;
  expect(() => log.append("lost\n")).toThrow("no space left");
  // Also where it was to be the first of a new file.
  expect(() => log.append("lost too\n")).toThrow("no space left");
  isFull = false;
  log.append("after\n");
  expect(contents(file)).toEqual({ "a.log": "after\n", "a.log.1": "before\n" });
});
