import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { endLate } from "./end-late.ts";

const graceMs = 1_000;

/** A process that runs `script`, once it has said that it is ready; and what lets time pass. */
async function late(script: string) {
  const folder = mkdtempSync(join(tmpdir(), "bosun-late-"));
  const child = spawn("bash", ["-c", script], { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  const exited = once(child, "exit");
  await once(child.stdout, "data");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  let nowMs = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  onTestFinished(() => clock.mockRestore());
  /** The grace, in tenths of it that took so long each; nothing is heard of any process meanwhile. */
  const pass = async (eachMs: number): Promise<void> => {
    for (let share = 0; share < 10; share += 1) {
      nowMs += eachMs;
      vi.advanceTimersByTime(graceMs / 10);
    }
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  return { child, exited, pass, go: () => writeFileSync(join(folder, "go"), "") };
}

test("a git that is asked to end is not killed for the time that the machine slept: its locks stayed", async () => {
  const script =
    "trap 'until [ -e go ]; do sleep 0.02; done; exit 7' TERM; echo ready; while :; do sleep 0.02; done";
  const { child, exited, pass, go } = await late(script);
  const ended = endLate(child, graceMs);
  await pass(3_600_000);
  go();
  expect(await exited).toEqual([7, null]);
  expect(await ended).toBe(true);
});

test("one that was killed is not told to go on for the time in which nobody could hear of its end", async () => {
  const { child, exited, pass } = await late("trap '' TERM; echo ready; while :; do sleep 0.02; done");
  const ended = endLate(child, graceMs);
  await pass(100);
  await pass(3_600_000);
  expect(await exited).toEqual([null, "SIGKILL"]);
  expect(await ended).toBe(true);
});
