import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isAlive, type ProcessIdentity, startTimeOf } from "../system/process-identity.ts";
import { systemClock } from "../system/system.ts";
import { killProcess } from "./end-process.ts";

interface Spawned {
  child: ChildProcess;
  identity: ProcessIdentity;
}

async function sleeping(): Promise<Spawned> {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  await once(child, "spawn");
  return spawned(child);
}

/** Gives 200 MB back once it is killed, and lives until then. */
async function endingSlowly(): Promise<Spawned> {
  const script = "const held = Buffer.alloc(2e8, 1); console.log(held.length); setInterval(() => held, 1e6);";
  const child = spawn(process.execPath, ["--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return spawned(child);
}

async function spawned(child: ChildProcess): Promise<Spawned> {
  const pid = child.pid ?? 0;
  return { child, identity: { pid, startTime: (await startTimeOf(pid)) ?? "" } };
}

test("a process is killed by its number and start time, and is gone then, however long its end takes", async () => {
  const { child, identity } = await endingSlowly();
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
