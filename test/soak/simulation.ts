/**
 * The simulation for a night: 20,000 seeds of 24 virtual hours, each checked at every step, and at its end.
 *
 *     npm run soak:simulation -- --seeds 20000 --hours 24 --workers 2
 *     npm run soak:simulation -- --seeds 20000 --hours 24 --workers 2 --from 3817     goes on after an interruption
 *     npm run soak:simulation -- --minutes 5 --from 3817                             begins no seed after five minutes
 *
 * A line a minute tells how far it is, how fast, and what has failed. A seed that breaks a promise is told at once, with
 * its last steps and the command that replays it. Exit code 1 when one did. Interrupted, it says how to go on.
 */
import { parseArgs } from "node:util";
import { runInPool } from "../simulation/pool.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20000" },
    hours: { type: "string", default: "24" },
    workers: { type: "string", default: "2" },
    from: { type: "string", default: "1" },
    minutes: { type: "string" },
    /** After so many failures it ends. */
    failures: { type: "string", default: "20" },
  },
});
const [seeds, hours, workers, from, failuresMax] = [
  values.seeds,
  values.hours,
  values.workers,
  values.from,
  values.failures,
].map(wholeNumber) as [number, number, number, number, number];
const last = from + seeds - 1;

const startMs = performance.now();
const endMs = startMs + (values.minutes === undefined ? Infinity : wholeNumber(values.minutes) * 60_000);
const failed: number[] = [];
const done = new Set<number>();
/** The first seed of which nothing is known. */
let next = from;
let ran = 0;
let days = 0;
let steps = 0;
let merged = 0;
let lives = 0;
let interrupted = false;

// npm passes on what the terminal has sent to the whole group already: it comes twice.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    console.log("Interrupted: the seeds under way are run to their end.");
  });
const minutely = setInterval(() => console.log(progress()), 60_000);

console.log(`Seeds ${from} to ${last}, ${hours} virtual hours each, in ${workers} processes.`);
await runInPool({
  jobs: jobs(),
  workers,
  onAnswer(answer) {
    done.add(answer.seed);
    while (done.delete(next)) next += 1;
    ran += 1;
    if ("failure" in answer) {
      failed.push(answer.seed);
      console.log(`Seed ${answer.seed} FAILED:\n${answer.failure}\n`);
    } else {
      days += answer.outcome.hours / 24;
      steps += answer.outcome.steps;
      merged += answer.outcome.merged;
      lives += answer.outcome.lives;
    }
    return !interrupted && performance.now() < endMs && failed.length < failuresMax;
  },
});
clearInterval(minutely);

console.log(progress());
if (next <= last)
  console.log(
    `Go on with: npm run soak:simulation -- --seeds ${last - next + 1} --hours ${hours} --workers ${workers} --from ${next}`,
  );
for (const seed of failed)
  console.log(`Replay: node test/simulation/main.ts --seed ${seed} --hours ${hours} --log`);
process.exitCode = failed.length > 0 ? 1 : 0;

function* jobs() {
  for (let seed = from; seed <= last; seed += 1) yield { seed, hours };
}

function progress(): string {
  const seconds = (performance.now() - startMs) / 1000;
  const left = ((last + 1 - from - ran) / (ran / seconds)) * 1000;
  const ends = ran === 0 || ran >= seeds ? "" : `; the last in about ${(left / 3_600_000).toFixed(1)} h`;
  return (
    `${ran} of ${seeds} seeds, ${failed.length} failed; ${days.toFixed(0)} virtual days at ${(days / seconds).toFixed(2)} ` +
    `a second, ${merged} merges, ${lives} lives of the operator, ${(steps / 1e6).toFixed(1)} million steps; ` +
    `all before seed ${next} are known${ends}`
  );
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) {
    console.error(
      `"${text}" is no whole number above 0: give numbers to --seeds, --hours, --workers, --from and --minutes.`,
    );
    process.exit(2);
  }
  return Number(text);
}
