import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { nextTable } from "./process-table.ts";

test("who asks in one turn shares a look at all processes, which comes after each of them has asked", async () => {
  const one = nextTable();
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const other = nextTable();
  expect(await other).toBe(await one);
  expect((await one).map(({ pid }) => pid)).toContain(child.pid);
});

test("who asks after a look gets another one", async () => {
  const before = await nextTable();
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  const exited = once(child, "exit");
  expect((await nextTable()).map(({ pid }) => pid)).toContain(child.pid);
  expect(before.map(({ pid }) => pid)).not.toContain(child.pid);
  child.kill("SIGKILL");
  await exited;
  expect((await nextTable()).map(({ pid }) => pid)).not.toContain(child.pid);
});
