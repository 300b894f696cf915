import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
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
