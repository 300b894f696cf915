/**
 * The whole kill test: `node test/e2e/kill-soak.ts [--kills 20] [--seed N] [--failpoints all|none|NAME]...
 * [--sandbox Required|Off]`.
 * Demos one after another until the operator was killed at so many random moments, then one demo for each failpoint.
 * Exits 1 when anything came out wrong, and keeps the folders of those demos.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { type Fate, prepareDemo, removeDemo, runDemo } from "./demo-harness.ts";
import { failpoints, randomKills, tell } from "./kill-plan.ts";
import { failedTests, outcomeOf, violations } from "./outcome.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: String(randomInt(1_000_000)) },
    failpoints: { type: "string", multiple: true, default: ["all"] },
    sandbox: { type: "string", default: "Required" },
  },
});
const seed = Number(values.seed);
console.log(`Seed ${seed}`);

let wrongDemos = 0;
const fates = randomKills(Number(values.kills), seed);
for (let done = 0; done < fates.length; ) done += Math.max(1, await demoWith(fates.slice(done)));
const named = failpoints.filter((name) => [name, "all"].some((word) => values.failpoints.includes(word)));
for (const name of named)
  if ((await demoWith([{ failpoint: { name } }])) !== 1) {
    wrongDemos += 1;
    console.log(`  ${name} was never passed`);
  }
process.exitCode = wrongDemos === 0 ? 0 : 1;
console.log(wrongDemos === 0 ? "All came out as they must." : `${wrongDemos} came out wrong.`);

/** @returns how many of `wanted` happened */
async function demoWith(wanted: readonly Fate[]): Promise<number> {
  const demo = prepareDemo({ sandbox: values.sandbox });
  console.log(`${new Date().toISOString()} ${demo.folder}`);
  try {
    const runs = await runDemo(demo, wanted);
    for (const { fate, end, seconds } of runs)
      console.log(`  killed ${tell(fate)}: ${end} after ${seconds.toFixed(1)} s`);
    const wrong = violations(await outcomeOf(demo), demo.before);
    const tests = failedTests(demo);
    if (tests !== undefined) wrong.push(`The target's tests fail:\n${tests}`);
    if (wrong.length === 0) await removeDemo(demo);
    else wrongDemos += 1;
    for (const line of wrong) console.log(`  WRONG: ${line}`);
    return runs.filter(({ end }) => end === "Killed").length;
  } catch (error) {
    wrongDemos += 1;
    console.log(`  WRONG: ${(error as Error).message}`);
    return wanted.length;
  }
}
