/**
 * Seeds of the whole system: people, faults and crashes, then peace, with every promise checked at every step.
 * `BOSUN_SEEDS` says how many fixed ones, `BOSUN_FRESH_SEEDS` how many that nobody has run yet, 0 none; CI sets both. The fresh
 * ones begin at a number drawn for each run, which is printed; `BOSUN_SEED_BASE` draws it again. `BOSUN_SEED_MINUTES` ends the
 * fixed ones early on a slow machine, behind the first hundred, and it is printed how many there were.
 */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { busyShareMax, type Outcome, stepsPerDayMax, stepsPerStartMax } from "./simulate.ts";

const seeds = Number(process.env.BOSUN_SEEDS ?? 40);
const fresh = Number(process.env.BOSUN_FRESH_SEEDS ?? 4);
const minutes = process.env.BOSUN_SEED_MINUTES ?? "Infinity";
const base = Number(process.env.BOSUN_SEED_BASE ?? randomInt(1_000_000, 2 ** 31));
const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** What `main.ts` prints with these arguments; rejects with it when a seed fails. */
async function run(...args: readonly string[]): Promise<readonly string[]> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const output: string[] = [];
  for await (const chunk of child.stdout) output.push(String(chunk));
  const code = child.exitCode ?? (await new Promise<number>((resolve) => child.once("close", resolve)));
  if (code !== 0) throw new Error(output.join("").slice(-12_000));
  return output.join("").trim().split("\n");
}

test.skipIf(seeds === 0)(
  `up to ${seeds} seeds of 8 hours with ten agents keep every promise and leave nothing stuck, without needless steps`,
  async () => {
    const count = ["--seeds", String(seeds), "--minutes", minutes];
    const lines = await run(...count, "--workers", String(availableParallelism()));
    const outcomes = lines.map((line) => JSON.parse(line) as Outcome);
    if (outcomes.length < seeds)
      console.log(`${outcomes.length} of ${seeds} seeds were run in the ${minutes} minutes that they have.`);
    expect(outcomes.length).toBeGreaterThanOrEqual(minutes === "Infinity" ? seeds : Math.min(seeds, 100));
    const busy = outcomes.filter(({ stepsPerDay }) => stepsPerDay > stepsPerDayMax);
    expect(busy.length, JSON.stringify(busy)).toBeLessThanOrEqual(Math.ceil(busyShareMax * outcomes.length));
    // Steps beyond those of a start are caused by work that is done: no seed does so much more of it.
    expect(outcomes.filter(({ steadyStepsPerDay }) => steadyStepsPerDay > 1.2 * stepsPerDayMax)).toEqual([]);
    expect(outcomes.filter(({ stepsPerStart }) => stepsPerStart > stepsPerStartMax)).toEqual([]);
  },
  3_600_000,
);

test.skipIf(fresh === 0)(
  `${fresh} fresh seeds, from ${base} on, keep every promise too`,
  async () => {
    console.log(`Fresh seeds of the simulation: BOSUN_SEED_BASE=${base}`);
    const count = ["--seeds", String(fresh), "--from", String(base)];
    expect(await run(...count, "--workers", String(availableParallelism()))).toHaveLength(fresh);
  },
  3_600_000,
);

test("ten seeds take the same steps to the same end in two processes", async () => {
  const hashes = (lines: readonly string[]): unknown[] => lines.map((line) => JSON.parse(line).hash);
  const [one, other] = await Promise.all([run("--seeds", "10"), run("--seeds", "10")]);
  expect(new Set(hashes(one)).size).toBe(10);
  expect(hashes(one)).toEqual(hashes(other));
}, 600_000);
