/**
 * Runs the whole system in the simulated world, each seed another one.
 *
 *     node test/simulation/main.ts --seed 7              one run; `--log` tells what the operator logs
 *     node test/simulation/main.ts --seeds 1000 --hours 8 --workers 2
 *     node test/simulation/main.ts --seeds 25 --from 3 --step 4            25 of cluster mode
 *
 * One JSON line a seed. A seed that breaks a promise is printed with its last steps and the command that replays it;
 * `--keep` goes on with the next, and tells only what was broken.
 */
import { parseArgs } from "node:util";
import { jsonLogger, type Logger } from "../../pkg/runtime/logger.ts";
import { type Job, runInPool } from "./pool.ts";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    step: { type: "string", default: "1" },
    hours: { type: "string", default: "8" },
    workers: { type: "string", default: "1" },
    calm: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    log: { type: "boolean", default: false },
    steps: { type: "boolean", default: false },
  },
});

// Whoever read is gone.
process.stdout.once("error", () => process.exit(1));
const workers = Number(values.workers);
const from = Number(values.seed ?? values.from);
const step = Number(values.step);
const count = values.seed === undefined ? Number(values.seeds) : 1;
process.exitCode = (workers > 1 ? await inProcesses() : await here()) > 0 ? 1 : 0;

/** @returns how many seeds failed */
async function here(): Promise<number> {
  const labels = new Map<string, number>();
  let failures = 0;
  for (const seed of seeds()) {
    try {
      const outcome = await simulate({
        seed,
        hours: Number(values.hours),
        faults: !values.calm,
        ...(values.log ? { logger: logger() } : {}),
        ...(values.steps ? { onStep: (label) => tally(labels, label) } : {}),
      });
      console.log(JSON.stringify(outcome));
    } catch (error) {
      failures += 1;
      const message = error instanceof Error ? error.message : String(error);
      if (!values.keep) {
        console.log(message);
        break;
      }
      console.log(inShort(seed, message));
    }
  }
  for (const [label, times] of [...labels].sort(([, a], [, b]) => b - a).slice(0, 40))
    console.log(String(times).padStart(8), label);
  return failures;
}

/** @returns how many seeds failed */
async function inProcesses(): Promise<number> {
  let failures = 0;
  await runInPool({
    jobs: jobs(),
    workers,
    onAnswer(answer) {
      if ("outcome" in answer) console.log(JSON.stringify(answer.outcome));
      else {
        failures += 1;
        console.log(values.keep ? inShort(answer.seed, answer.failure) : answer.failure);
      }
      return values.keep || failures === 0;
    },
  });
  return failures;
}

function* seeds(): Generator<number> {
  for (let index = 0; index < count; index += 1) yield from + index * step;
}

function* jobs(): Generator<Job> {
  for (const seed of seeds()) yield { seed, hours: Number(values.hours), faults: !values.calm };
}

function inShort(seed: number, failure: string): string {
  const [, said = failure] = failure.split("\n\n");
  return `Seed ${seed} fails: ${said.split("\n").slice(0, 3).join(" | ")}`;
}

/** Steps by what they are, whichever object and life of the operator they are about. */
function tally(labels: Map<string, number>, label: string): void {
  const known = label.replace(/operator \d+/, "operator").replace(/ [a-z]+[-\d]+\S*/g, "");
  labels.set(known, (labels.get(known) ?? 0) + 1);
}

function logger(): Logger {
  const clock = { now: () => 0, elapsed: () => 0, sleep: async () => {} };
  return jsonLogger((line) => process.stderr.write(line), clock, "debug");
}
