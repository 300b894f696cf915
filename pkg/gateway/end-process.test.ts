import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isAlive, startTimeOf } from "../system/process-identity.ts";
import { systemClock } from "../system/system.ts";
import { killProcess } from "./end-process.ts";

test("a process is killed by its number and start time; one that was given the number since is left alone", async () => {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  const startTime = (await startTimeOf(pid)) ?? "";
  const earlier = { pid, startTime: `${startTime}0` };
  expect(await isAlive(earlier)).toBe(false);
  await killProcess(earlier, systemClock);
  expect(await isAlive({ pid, startTime })).toBe(true);
  await killProcess({ pid, startTime }, systemClock);
  expect(await isAlive({ pid, startTime })).toBe(false);
});
