import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isAlive, type ProcessIdentity, startTimeOf } from "../system/process-identity.ts";
import { systemClock } from "../system/system.ts";
import { killProcess } from "./end-process.ts";

async function sleeping(): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  return { child, identity: { pid, startTime: (await startTimeOf(pid)) ?? "" } };
}

test("a process is killed by its number and start time, and is gone then", async () => {
  const { child, identity } = await sleeping();
  const exited = once(child, "exit");
  await killProcess(identity, systemClock);
  expect(await isAlive(identity)).toBe(false);
  expect(await exited).toEqual([null, "SIGKILL"]);
});

test("a process that was given the number since is left alone", async () => {
  const { child, identity } = await sleeping();
  const exited = once(child, "exit");
  await killProcess({ ...identity, startTime: `${identity.startTime}0` }, systemClock);
  // A kill that it was sent before would end it first.
  child.kill("SIGTERM");
  expect(await exited).toEqual([null, "SIGTERM"]);
});
