import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startTimeOf } from "../system/process-identity.ts";
import { systemClock } from "../system/system.ts";
import { workspaceMark } from "../system/workspace-mark.ts";
import { endMarked } from "./end-marked.ts";

test("what carries the mark of a workspace ends at its stop; what is started once that is over is left alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bosun-marked-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const stopLatch = join(folder, "stop");
  const child = spawn("sleep", ["600"], {
    stdio: "ignore",
    env: { ...process.env, ...workspaceMark(stopLatch) },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  const startTime = await startTimeOf(pid);
  await endMarked(stopLatch, systemClock, () => false);
  expect(await startTimeOf(pid)).toBe(startTime);
  await endMarked(stopLatch, systemClock);
  expect(await startTimeOf(pid)).toBeUndefined();
});
