import { randomInt } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { type Fate, prepareDemo, type Run, removeDemo, runDemo } from "./demo-harness.ts";
import { everyFailpoint, failpoints, randomKills, tell } from "./kill-plan.ts";
import { failedTests, outcomeOf, violations } from "./outcome.ts";

/** Runs a demo through `fates` and looks at what came out. The folder is kept when something is wrong. */
async function demoWith(
  fates: readonly Fate[],
  options: Parameters<typeof prepareDemo>[0] = {},
): Promise<{ runs: readonly Run[]; wrong: string[]; tests: string | undefined }> {
  const demo = prepareDemo(options);
  console.log(`${demo.folder}: killed ${fates.map(tell).join(", ")}`);
  const runs = await runDemo(demo, fates);
  const wrong = violations(await outcomeOf(demo), demo.before);
  const tests = failedTests(demo);
  if (wrong.length === 0 && tests === undefined) onTestFinished(() => removeDemo(demo));
  return { runs, wrong, tests };
}

test("a demo whose processes are killed at random moments ends as if they had not been, and no call is made twice", async () => {
  const seed = Number(process.env.BOSUN_KILL_SEED ?? randomInt(1_000_000));
  console.log(`Replay with BOSUN_KILL_SEED=${seed}`);
  const { runs, wrong, tests } = await demoWith(randomKills(5, seed), { sandbox: "Off" });
  expect(wrong).toEqual([]);
  expect(tests).toBeUndefined();
  expect(runs.filter(({ end }) => end === "Killed")).toHaveLength(5);
});

test("a demo that is killed once at every failpoint ends as if it had not been", async () => {
  const { runs, wrong, tests } = await demoWith(everyFailpoint());
  expect(wrong).toEqual([]);
  expect(tests).toBeUndefined();
  const killedAt = runs.filter(({ hasHit }) => hasHit).map(({ fate }) => fate.failpoint?.name);
  expect(killedAt).toEqual(failpoints);
});
