/**
 * The whole kill test: `npm run soak:kill -- [--kills 20] [--minutes N] [--seed N] [--failpoints all|none|NAME]...
 * [--sandbox Required|Off]`.
 * Demos one after another until the operator was killed at so many random moments, alone or with its gateway, its sessions
 * or all of them, while hosts and gateways died and all was stopped and resumed; then one demo for each failpoint. Every
 * other demo runs without a sandbox and counts what tool calls do; `--sandbox` decides it for all. After `--minutes` no
 * demo begins. Interrupted, it says what those before showed. Exits 1 when anything came out wrong, and keeps the folders of
 * those demos.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { startBuiltPackage } from "../support/bosun-command.ts";
import { whenInterrupted } from "../support/interrupted.ts";
import { paidAgain } from "./accounts.ts";
import { type Fate, type PreparedDemo, prepareDemo, type Run, removeDemo, runDemo } from "./demo-harness.ts";
import { failpoints, randomKills, tell } from "./kill-plan.ts";
import { failedTests, outcomeOf, violations } from "./outcome.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    minutes: { type: "string", default: "Infinity" },
    seed: { type: "string", default: String(randomInt(1_000_000)) },
    failpoints: { type: "string", multiple: true, default: ["all"] },
    sandbox: { type: "string" },
  },
});
const [kills, minutes, seed] = [Number(values.kills), Number(values.minutes), Number(values.seed)];
if (!Number.isInteger(kills) || kills < 0 || !(minutes > 0) || !Number.isInteger(seed))
  throw new RangeError("--kills and --seed must be whole numbers, --minutes a number above 0.");
console.log(`Seed ${seed}`);

startBuiltPackage();
let demos = 0;
let underWay: PreparedDemo | undefined;
let wrongDemos = 0;
whenInterrupted(async () => {
  console.log(verdict(underWay === undefined ? demos : demos - 1));
  if (underWay !== undefined) await removeDemo(underWay);
});
const endMs = performance.now() + minutes * 60_000;
const isOver = (): boolean => performance.now() >= endMs;
const fates = randomKills(kills, seed);
for (let done = 0; done < fates.length && !isOver(); ) {
  const runs = await demoWith(fates.slice(done));
  if (runs.length === 0) break;
  done += Math.max(1, runs.filter(({ end }) => end === "Killed").length);
}
const named = failpoints.filter((name) => [name, "all"].some((word) => values.failpoints.includes(word)));
for (const name of named) {
  if (isOver()) {
    console.log(`Not tried for want of time: the failpoints from ${name} on.`);
    break;
  }
  const [run] = await demoWith([{ failpoint: { name, spareOperator: true } }]);
  if (run === undefined || run.hasHit) continue;
  wrongDemos += 1;
  console.log(`  WRONG: ${name} was never passed`);
}
process.exitCode = wrongDemos === 0 ? 0 : 1;
console.log(verdict(demos));

function verdict(ended: number): string {
  return wrongDemos === 0
    ? `All ${ended} came out as they must.`
    : `${wrongDemos} of ${ended} came out wrong.`;
}

/** Runs a demo through as many of `wanted` as it takes, and says what is wrong with what came out. @returns none when it never came to an end */
async function demoWith(wanted: readonly Fate[]): Promise<readonly Run[]> {
  demos += 1;
  const demo = prepareDemo({ sandbox: values.sandbox ?? (demos % 2 === 1 ? "Off" : "Required") });
  underWay = demo;
  console.log(`${new Date().toISOString()} ${demo.folder}`);
  try {
    const runs = await runDemo(demo, wanted);
    for (const { fate, end, seconds } of runs)
      console.log(`  killed ${tell(fate)}: ${end} after ${seconds.toFixed(1)} s`);
    const outcome = await outcomeOf(demo);
    console.log(`  ${paidAgain(outcome.accounts)}`);
    const wrong = violations(outcome, demo.before);
    const tests = failedTests(demo);
    if (tests !== undefined) wrong.push(`The target's tests fail:\n${tests}`);
    if (wrong.length === 0) await removeDemo(demo);
    else wrongDemos += 1;
    for (const line of wrong) console.log(`  WRONG: ${line}`);
    return runs;
  } catch (error) {
    wrongDemos += 1;
    console.log(`  WRONG: ${(error as Error).message}`);
    return [];
  } finally {
    underWay = undefined;
  }
}
