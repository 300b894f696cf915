/**
 * Seeds of the whole system: people, faults and crashes, then peace, with every promise checked at every step.
 * `BOSUN_SEEDS` says how many fixed ones, `BOSUN_FRESH_SEEDS` how many that nobody has run yet, 0 none; CI sets both. The
 * fresh ones begin at a number drawn for each run, which is printed; `BOSUN_SEED_BASE` draws it again.
 */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { givingWay } from "../../pkg/sandbox/giving-way.ts";
import { busyShareMax, type Outcome, stepsPerDayMax, stepsPerStartMax } from "./simulate.ts";

const seeds = Number(process.env.BOSUN_SEEDS ?? 20);
const fresh = Number(process.env.BOSUN_FRESH_SEEDS ?? 4);
const base = Number(process.env.BOSUN_SEED_BASE ?? randomInt(1_000_000, 2 ** 31));
const workers = String(availableParallelism());
const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** What became of the seeds that these arguments name, run where others leave time; rejects when one fails, with its story. */
async function run(...args: readonly string[]): Promise<readonly Outcome[]> {
  const [file = "", ...rest] = [...givingWay(19), process.execPath, main, ...args];
  const child = spawn(file, rest, {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output: string[] = [];
  for await (const chunk of child.stdout) output.push(String(chunk));
  const code = child.exitCode ?? (await new Promise<number>((resolve) => child.once("close", resolve)));
  if (code !== 0) throw new Error(output.join("").slice(-12_000));
  const lines = output.join("").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Outcome);
}

let ran: ReturnType<typeof run> | undefined;
/** What became of the fixed ones, for which several processes took turns; run once. */
const fixed = (): ReturnType<typeof run> => (ran ??= run("--seeds", String(seeds), "--workers", workers));

test.skipIf(seeds === 0)(
  `${seeds} seeds of 8 hours with ten agents keep every promise and leave nothing stuck, without needless steps`,
  async () => {
    const outcomes = await fixed();
    expect(outcomes).toHaveLength(seeds);
    const busy = outcomes.filter(({ stepsPerDay }) => stepsPerDay > stepsPerDayMax);
    expect(busy.length, JSON.stringify(busy)).toBeLessThanOrEqual(Math.ceil(busyShareMax * outcomes.length));
    // Steps beyond those of a start are caused by work that is done: no seed does so much more of it.
    expect(outcomes.filter(({ steadyStepsPerDay }) => steadyStepsPerDay > 1.2 * stepsPerDayMax)).toEqual([]);
    expect(outcomes.filter(({ stepsPerStart }) => stepsPerStart > stepsPerStartMax)).toEqual([]);
  },
  3_600_000,
);

/** In one process: before the fresh ones, while others have work for the other cores. */
const repeated = Math.min(6, seeds);
test.skipIf(seeds === 0)(
  `${repeated} seeds take the same steps to the same end in another process, after other seeds`,
  async () => {
    const first = (await fixed()).filter(({ seed }) => seed <= repeated);
    const again = await run("--seeds", String(repeated));
    expect(new Set(again.map(({ hash }) => hash)).size).toBe(repeated);
    expect(first.toSorted((one, other) => one.seed - other.seed)).toEqual(again);
  },
  3_600_000,
);

test.skipIf(fresh === 0)(
  `${fresh} fresh seeds, from ${base} on, keep every promise too`,
  async () => {
    console.log(`Fresh seeds of the simulation: BOSUN_SEED_BASE=${base}`);
    const outcomes = await run("--seeds", String(fresh), "--from", String(base), "--workers", workers);
    expect(outcomes).toHaveLength(fresh);
  },
  3_600_000,
);
