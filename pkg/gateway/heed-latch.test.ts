import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startTimeOf } from "../system/process-identity.ts";
import { workspaceMark } from "../system/workspace-mark.ts";

const program = `
  import { heedLatch } from ${JSON.stringify(new URL("./heed-latch.ts", import.meta.url))};
  import { systemClock } from ${JSON.stringify(new URL("../system/system.ts", import.meta.url))};
  const stopLatch = process.argv[1];
  setInterval(() => {}, 1_000);
  await heedLatch(stopLatch, systemClock, new AbortController().signal);
`;

test("who heeds the latch ends at a stop, and not before all that carries the workspace's mark has ended", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bosun-heed-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const stopLatch = join(folder, "stop");
  const check = spawn("sleep", ["600"], {
    stdio: "ignore",
    env: { ...process.env, ...workspaceMark(stopLatch) },
  });
  onTestFinished(() => void check.kill("SIGKILL"));
  await once(check, "spawn");
  const args = ["--input-type=module", "--eval", program, stopLatch];
  const heeding = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  onTestFinished(() => void heeding.kill("SIGKILL"));
  expect(await startTimeOf(check.pid ?? 0)).toBeDefined();
  writeFileSync(stopLatch, "");
  expect(await once(heeding, "exit")).toEqual([1, null]);
  expect(await startTimeOf(check.pid ?? 0)).toBeUndefined();
});
