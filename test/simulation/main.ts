/** `node test/simulation/main.ts --seed N` replays one run; `--seeds N [--from M]` tries many. */
import { parseArgs } from "node:util";
import { jsonLogger, type Logger } from "../../pkg/runtime/logger.ts";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    hours: { type: "string", default: "8" },
    log: { type: "boolean", default: false },
    steps: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});

const hours = Number(values.hours);
const seeds =
  values.seed === undefined
    ? Array.from({ length: Number(values.seeds) }, (_, index) => Number(values.from) + index)
    : [Number(values.seed)];
const counts = new Map<string, number>();
let failures = 0;
for (const seed of seeds) {
  const startedMs = performance.now();
  try {
    const outcome = await simulate({
      seed,
      hours,
      ...(values.log ? { logger: logger() } : {}),
      ...(values.steps ? { onStep: count } : {}),
    });
    console.log(JSON.stringify({ ...outcome, ms: Math.round(performance.now() - startedMs) }));
  } catch (error) {
    failures += 1;
    const message = error instanceof Error ? error.message : String(error);
    if (values.keep)
      console.log(`SEED ${seed} FAILS: ${message.split("\n\n")[1]?.split("\n").slice(0, 3).join(" | ")}`);
    else {
      console.log(message);
      break;
    }
  }
}
if (values.steps)
  for (const [label, times] of [...counts].sort(([, a], [, b]) => b - a).slice(0, 40))
    console.log(String(times).padStart(8), label);
process.exitCode = failures > 0 ? 1 : 0;

function count(label: string): void {
  const known = label.replace(/operator \d+/, "operator").replace(/ [a-z]+[-\d]+\S*/g, "");
  counts.set(known, (counts.get(known) ?? 0) + 1);
}

function logger(): Logger {
  return jsonLogger(
    (line) => process.stderr.write(line),
    { now: () => 0, elapsed: () => 0, sleep: async () => {} },
    "debug",
  );
}
