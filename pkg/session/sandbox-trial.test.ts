import { expect, test } from "vitest";
import { systemClock } from "../system/system.ts";
import { SandboxTrial } from "./sandbox-trial.ts";

const found = { available: true, kind: "bubblewrap" } as const;
const none = { available: false, why: "It printed nothing.", fix: "Install it." } as const;

function trialThatFinds(...results: readonly (typeof found | typeof none | Error)[]) {
  let elapsedMs = 0;
  let attempts = 0;
  const attempt = async () => {
    const result = results[attempts++] ?? none;
    if (result instanceof Error) throw result;
    return result;
  };
  const trial = new SandboxTrial(attempt, { ...systemClock, elapsed: () => elapsedMs });
  return { trial, attempts: () => attempts, wait: (ms: number) => (elapsedMs += ms) };
}

test("a sandbox that was found is relied on for ten minutes", async () => {
  const { trial, attempts, wait } = trialThatFinds(found, none);
  expect(await Promise.all([trial.result(), trial.result()])).toEqual([found, found]);
  wait(599_999);
  expect(await trial.result()).toBe(found);
  expect(attempts()).toBe(1);
  wait(1);
  expect(await trial.result()).toBe(none);
});

test.each([none, new Error("No space left on the device.")])(
  "after a trial that found none there is another: %o",
  async (first) => {
    const { trial } = trialThatFinds(first, found);
    await trial.result().catch(() => undefined);
    expect(await trial.result()).toBe(found);
  },
);
