import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { TestClock } from "../../../pkg/runtime/testing/clock.ts";
import { operatorLog } from "./operator-log.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-log-"));
  folders.push(folder);
  return folder;
}

test("the log of an operator that runs for months is four files of 4 MB at most", () => {
  const folder = scratch();
  const log = operatorLog(folder, new TestClock());
  const file = path.join(folder, "operator.log");
  for (let months = 0; months < 6; months += 1) {
    log.info("Begun", { months });
    // What months write in between, without writing it.
    truncateSync(file, 4 * 1024 * 1024);
  }
  log.info("Last");
  expect(readdirSync(folder).sort()).toEqual([
    "operator.log",
    "operator.log.1",
    "operator.log.2",
    "operator.log.3",
  ]);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ level: "info", message: "Last" });
  expect(readFileSync(`${file}.3`, "utf8")).toContain(`"months":3`);
});

test("a full disk ends nothing, and afterwards the log says how many lines are missing", () => {
  const lines: string[] = [];
  let isFull = false;
  const log = operatorLog(scratch(), new TestClock(), (line) => {
    if (isFull) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    lines.push(line);
  });
  log.info("before");
  isFull = true;
  log.info("lost");
  log.with({ agent: "agent-1" }).error("lost too");
  isFull = false;
  log.info("after");
  log.info("later");
  const told = lines.map((line) => JSON.parse(line) as { message: string; lines?: number });
  expect(told.map(({ message, lines: count }) => count ?? message)).toEqual(["before", "after", 2, "later"]);
});
