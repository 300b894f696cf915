/**
 * One owner, for as long as you like: operators that are killed or suspended at random moments and wake in the middle of
 * their successors' work, and agents that are suspended while their work is given to others.
 *
 *     npm run soak:owner -- --rounds 20 --seed 7
 *     npm run soak:owner -- --minutes 5               begins no round after five minutes
 *
 * After each round ownership is recomputed from refs, reflogs, merges, ledger and the log. A round that went wrong says
 * how to repeat it; how far the work is at a moment differs between runs, so it may take several. Interrupted, it says what
 * the rounds before showed. Exit code 1 when one went wrong.
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
    minutes: { type: "string", default: "Infinity" },
    seed: { type: "string", default: String(randomInt(1_000_000)) },
  },
});
const rounds = Number(values.rounds);
const minutes = Number(values.minutes);
const first = Number(values.seed);
if (!Number.isInteger(rounds) || rounds < 1 || !(minutes > 0) || !Number.isInteger(first))
  throw new RangeError(
    "--rounds must be a whole number above 0, --minutes a number above 0, --seed a whole number.",
  );
if (!canMakeContainers)
  console.warn("No namespaces can be made here: operators are lost, agents are not suspended.");

startBuiltPackage();
let done = 0;
let wrong = 0;
let ends: (() => Promise<void>)[] = [];
whenInterrupted(async () => {
  console.log(verdict());
  await endAll();
});
const endMs = performance.now() + minutes * 60_000;
for (let seed = first; seed < first + rounds && performance.now() < endMs; seed += 1) {
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
  done += 1;
  await endAll();
}
console.log(verdict());
process.exitCode = wrong === 0 ? 0 : 1;

function verdict(): string {
  return wrong === 0 ? `${done} rounds, one owner in each.` : `${wrong} of ${done} rounds went wrong.`;
}

/** Ends and removes what the round under way has made. */
async function endAll(): Promise<void> {
  const all = ends;
  ends = [];
  for (const end of all) await end();
}
