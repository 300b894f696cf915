import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startTimeOf } from "./process-identity.ts";

test("a living process has one start time, and another process has another", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  try {
    await once(child, "spawn");
    const own = await startTimeOf(process.pid);
    expect(own).toBeDefined();
    expect(await startTimeOf(process.pid)).toBe(own);
    expect(await startTimeOf(child.pid ?? 0)).not.toBe(own);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  expect(await startTimeOf(child.pid ?? 0)).toBeUndefined();
});

test("what is no pid is no process", async () => {
  for (const pid of [0, -1, 1.5, Number.NaN]) expect(await startTimeOf(pid)).toBeUndefined();
});

test.runIf(process.platform === "linux")(
  "a process whose first thread has ended lives as long as another does, as one that ends its namespace",
  async () => {
    const proc = mkdtempSync(path.join(tmpdir(), "bosun-proc-"));
    onTestFinished(() => rmSync(proc, { recursive: true }));
    mkdirSync(path.join(proc, "7"));
    // The fields of proc(5): pid, name, state, 16 others, threads, one other, start time.
    const show = (state: string, threads: number): void =>
      writeFileSync(path.join(proc, "7/stat"), `7 (node) ${state}${" 0".repeat(16)} ${threads} 0 4242 0 0\n`);
    show("S", 11);
    const living = await startTimeOf(7, proc);
    expect(living).toMatch(/\/4242$/);
    show("Z", 2);
    expect(await startTimeOf(7, proc)).toBe(living);
    show("Z", 1);
    expect(await startTimeOf(7, proc)).toBeUndefined();
  },
);
