import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { keepShort } from "./keep-short.ts";

test("what a process prints for months takes no more than two files of the limit, and goes on at the beginning of one", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-short-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "gateway.log");
  keepShort(file, 100);
  expect(readdirSync(folder)).toEqual([]);
  const log = openSync(file, "a", 0o600);
  const print = (text: string): void => {
    spawnSync("sh", ["-c", 'echo "$0" >&2', text], { stdio: ["ignore", "ignore", log] });
    keepShort(file, 100);
  };
  const line = (number: number): string => `${number}, a line of twenty-six`.padEnd(25, ".");
  const lines = (...numbers: number[]): string => numbers.map((number) => `${line(number)}\n`).join("");
  for (let number = 0; number < 22; number += 1) print(line(number));
  closeSync(log);
  expect(readdirSync(folder)).toEqual(["gateway.log", "gateway.log.1"]);
  // A hundred bytes hold three of the lines: the fourth is one too many.
  expect(readFileSync(`${file}.1`, "utf8")).toBe(lines(16, 17, 18, 19));
  expect(readFileSync(file, "utf8")).toBe(lines(20, 21));
  expect(statSync(`${file}.1`).mode & 0o777).toBe(0o600);
});
