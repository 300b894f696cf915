/**
 * One owner, for as long as you like: operators that are killed or suspended at random moments and wake in the middle of
 * their successors' work, and agents that are suspended while their work is given to others.
 *
 *     npm run soak:owner -- --rounds 20 --seed 7
 *
 * After each round ownership is recomputed from refs, reflogs, merges, ledger and the log. A round that went wrong says
 * how to repeat it; how far the work is at a moment differs between runs, so it may take several. Exit code 1 when one did.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { startBuiltPackage } from "../../support/bosun-command.ts";
import { whenInterrupted } from "../../support/interrupted.ts";
import { canMakeContainers } from "./elsewhere.ts";
import { runRound } from "./round.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    seed: { type: "string", default: String(randomInt(1_000_000)) },
  },
});
const rounds = Number(values.rounds);
const first = Number(values.seed);
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(first))
  throw new Error("--rounds and --seed must be whole numbers.");
if (!canMakeContainers)
  console.warn("No namespaces can be made here: operators are lost, agents are not suspended.");

startBuiltPackage();
let wrong = 0;
let ends: (() => Promise<void>)[] = [];
whenInterrupted(endAll);
for (let seed = first; seed < first + rounds; seed += 1) {
  const startMs = performance.now();
  console.log(`Seed ${seed}`);
  let faults: string[];
  try {
    const tell = (line: string): void => console.log(`  ${line}`);
    faults = await runRound({ seed, losses: 3, projects: 4, tell }, (work) => void ends.push(work));
  } catch (error) {
    faults = [error instanceof Error ? error.message : String(error)];
  }
  for (const fault of faults) console.log(`  WRONG: ${fault}`);
  console.log(
    `  ${faults.length === 0 ? "one owner" : "wrong"}, ${((performance.now() - startMs) / 1000).toFixed(1)} s`,
  );
  if (faults.length > 0) {
    wrong += 1;
    console.log(`  Again: npm run soak:owner -- --rounds 1 --seed ${seed}`);
  }
  await endAll();
}
console.log(
  wrong === 0 ? `${rounds} rounds, one owner in each.` : `${wrong} of ${rounds} rounds went wrong.`,
);
process.exitCode = wrong === 0 ? 0 : 1;

/** Ends and removes what the round under way has made. */
async function endAll(): Promise<void> {
  const all = ends;
  ends = [];
  for (const end of all) await end();
}
