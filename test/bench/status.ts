/**
 * How long `bosun status` takes from its start to its end, beside a running operator and without one, with ten agents
 * and 200 Projects, in turns with Node alone. The aim: under 300 ms.
 *
 *     npm run bench:status
 *     npm run bench:status -- --runs 100 --projects 1000
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { whenInterrupted } from "../support/interrupted.ts";
import { quantile } from "../support/quantile.ts";
import { bosun, scratchWorkspace } from "./workspace/operator.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "30" }, projects: { type: "string", default: "200" } },
});
const runs = Number(values.runs);

await using workspace = scratchWorkspace({ projects: Number(values.projects) });
const operator = await workspace.start({ is: "rehearsal" });
whenInterrupted(async () => {
  await operator.stop();
  await workspace[Symbol.asyncDispose]();
});
await measure("beside an operator");
await operator.stop();
await measure("last known state");

/** Prints the middle and the slowest of the runs; Node alone is measured in between, under the same load. */
async function measure(what: string): Promise<void> {
  const [own, node]: [number[], number[]] = [[], []];
  for (let run = 0; run <= runs; run += 1) {
    const takenMs = [await timed([bosun, "status"]), await timed(["-e", "0"])];
    // The first one fills the cache of compiled code, as it does for a person.
    if (run === 0) continue;
    own.push(takenMs[0] ?? Number.NaN);
    node.push(takenMs[1] ?? Number.NaN);
  }
  line(`bosun status, ${what}, ${values.projects} Projects`, own);
  line("node -e 0, in turns with it", node);
}

async function timed(args: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: workspace.folder.repository,
    env: workspace.env,
    stdio: "ignore",
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}.`);
  return performance.now() - startMs;
}

function line(what: string, takenMs: readonly number[]): void {
  const at = (share: number): string => quantile(takenMs, share).toFixed(0).padStart(5);
  console.log(`${what.padEnd(52)} p50 ${at(0.5)} ms   p99 ${at(0.99)} ms`);
}
