import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isAlive, startTimeOf } from "../system/process-identity.ts";
import { systemClock, systemIds } from "../system/system.ts";
import { endTree } from "./process-tree.ts";

test("a host is known by its number and start time: one that was given the number since is another, and left alone", async () => {
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  await once(bystander, "spawn");
  const pid = bystander.pid ?? 0;
  const startTime = (await startTimeOf(pid)) ?? "";
  const earlier = { pid, startTime: `${startTime}0` };
  expect(await isAlive(earlier)).toBe(false);
  expect(await endTree(systemIds.uuid(), [earlier], systemClock)).toBe(true);
  expect(await isAlive({ pid, startTime })).toBe(true);
  expect(await endTree(systemIds.uuid(), [{ pid, startTime }], systemClock)).toBe(true);
  expect(await isAlive({ pid, startTime })).toBe(false);
});
