/**
 * Ten agents with the real SDK spend through the real gateway's process, against an upstream that bills as it likes, while
 * the gateway is killed, clocks are set and limits change. Then other code holds the ledger against the upstream's own bill,
 * and what is left of 5 and of 20 USD is measured.
 *
 *     npm run soak:money -- --minutes 5 --seed 7
 *
 * The same seed makes the same plan of faults; what meets what is up to the machine. `--keep` leaves the ledger and the bill.
 */
import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { BudgetPolicy } from "../../../pkg/gateway/money.ts";
import { NANO_PER_USD } from "../../../pkg/gateway/money.ts";
import { whenInterrupted } from "../../support/interrupted.ts";
import { uniform } from "../../support/uniform.ts";
import { type Agents, startAgents } from "./agents.ts";
import { chaos } from "./chaos.ts";
import { check, type Verdict } from "./check.ts";
import { Operator } from "./operator.ts";
import { type SoakUpstream, startSoakUpstream } from "./upstream.ts";

/** A night before summer time ends in Berlin, a week before a month does. */
const START_MS = Date.parse("2026-10-24T20:00:00Z");
/** What may be left of a limit that nobody can reach, in USD: 8 % of 5, 2 % of 20. */
const UNREACHABLE_USD_MAX = 0.4;
/** What has not come by then never comes, in ms. */
const NEVER_MS = 300_000;

export interface SoakOptions {
  minutes: number;
  seed: number;
  /** Limits, in USD, of which the rest is measured. */
  measured: readonly number[];
  folder: string;
  /** Told how to end what was started, once it was. */
  started?(end: () => Promise<void>): void;
}

export interface SoakResult extends Verdict {
  kills: number;
  answers: number;
  failures: ReadonlyMap<string, number>;
  faults: ReadonlyMap<string, number>;
  /** Of each measured limit what nobody could reach, in USD, and the longest prompt then, in tokens. */
  unreachable: { usd: number; left: number; longestPrompt: number }[];
  /** The folder of ledger and bill. */
  folder: string;
}

export async function soakMoney({
  minutes,
  seed,
  measured,
  folder,
  started = () => {},
}: SoakOptions): Promise<SoakResult> {
  const random = uniform(seed);
  const time = { now: () => new Date(START_MS) };
  await using upstream = await startSoakUpstream({
    billPath: path.join(folder, "bill.jsonl"),
    random: uniform(seed + 1),
    now: () => time.now(),
  });
  const operator = await Operator.start(folder, upstream.url, START_MS);
  started(() => operator.close());
  time.now = () => operator.trueNow;
  try {
    const wild = {
      operator,
      random: uniform(seed + 2),
      addedBytesMax: 40_000,
      firstBytesMax: 40_000,
      wild: true,
    };
    const agents = await startAgents("wild", wild);
    const faults = await chaos({ operator, upstream, random, untilMs: Date.now() + minutes * 60_000 });
    await agents.end();
    await settled(operator);

    const unreachable = [];
    for (const usd of measured) unreachable.push(await measure(operator, upstream, usd));
    const stops = await violate(operator, upstream);
    await settled(operator);
    const evidence = {
      lines: operator.lines(),
      bill: upstream.bill,
      inForce: operator.inForce,
      violations: 1,
    };
    const verdict = check(evidence);
    const left = unreachable
      .filter((one) => one.left > UNREACHABLE_USD_MAX)
      .map((one) => `${one.left.toFixed(3)} of ${one.usd} USD could not be reached`);
    return {
      ...verdict,
      problems: [...verdict.problems, ...left, ...stops],
      kills: operator.kills,
      answers: agents.answers,
      failures: agents.failures,
      faults,
      unreachable,
      folder,
    };
  } finally {
    await operator.close();
  }
}

/** On a new day with a limit of `usd`, ten agents with contexts up to 150,000 tokens spend until none can go on. */
async function measure(
  operator: Operator,
  upstream: SoakUpstream,
  usd: number,
): Promise<{ usd: number; left: number; longestPrompt: number }> {
  upstream.isSound = true;
  operator.setWrong(0);
  operator.pass(40 * 24 * 3_600_000);
  await operator.setBudgets([budgetOf(`measured-${usd}`, usd)]);
  const wanted = {
    operator,
    random: uniform(usd),
    addedBytesMax: 30_000,
    firstBytesMax: 100_000,
    wild: false,
  };
  const agents = await startAgents(`measured-${usd}`, wanted);
  await until(
    () => agents.refused.size === 10,
    () => stuck(agents),
  );
  await agents.end();
  await settled(operator);
  const account = await operator.account(`measured-${usd}`);
  const left = usd - (account?.daily.spent ?? 0) / NANO_PER_USD;
  return { usd, left, longestPrompt: agents.longestPrompt };
}

/** A usage above its bound, with others under way: nothing is granted from then on, nor by the next process. */
async function violate(operator: Operator, upstream: SoakUpstream): Promise<string[]> {
  const problems: string[] = [];
  operator.pass(40 * 24 * 3_600_000);
  await operator.setBudgets([budgetOf("violated", 100)]);
  const options = { operator, random: uniform(1), addedBytesMax: 1_000, firstBytesMax: 1_000, wild: false };
  const agents = await startAgents("violated", options);
  await until(
    () => agents.answers > 20,
    () => stuck(agents),
  );
  upstream.violations = 1;
  await until(
    () => (agents.failures.get("402 BoundViolated") ?? 0) > 10,
    () => stuck(agents),
  );
  await operator.kill();
  await operator.answering();
  const before = operator.lines().filter(({ step }) => step === "reserved").length;
  const refusals = agents.failures.get("402 BoundViolated") ?? 0;
  await until(
    () => (agents.failures.get("402 BoundViolated") ?? 0) > refusals + 10,
    () => stuck(agents),
  );
  const after = operator.lines().filter(({ step }) => step === "reserved").length;
  if (after > before)
    problems.push(`${after - before} requests were reserved after a violation and a restart`);
  if ((await operator.account("violated"))?.boundViolated !== true)
    problems.push("the account knows of no violation");

  const violated = operator.lines().find(({ step }) => step === "violated");
  const billed = upstream.bill.find(({ how }) => how === "above its bound");
  if (violated?.step === "violated" && billed !== undefined) await operator.settle(violated.id, billed.cost);
  const { answers } = agents;
  await until(
    () => agents.answers > answers,
    () => stuck(agents),
  );
  await agents.end();
  return problems;
}

function budgetOf(name: string, usd: number): BudgetPolicy {
  return { name, uid: name, daily: { usd }, timeZone: "Europe/Berlin", selector: {} };
}

/** Waits until every request in the ledger has ended: answers are read on after their clients left. */
async function settled(operator: Operator): Promise<void> {
  await operator.answering();
  const isOpen = (): boolean => {
    const open = new Set<string>();
    for (const line of operator.lines()) {
      if (line.step === "reserved") open.add(line.id);
      if (line.step === "settled" || line.step === "unsettled" || line.step === "released")
        open.delete(line.id);
    }
    return open.size > 0;
  };
  await until(
    () => !isOpen(),
    () => "requests in the ledger don't end",
  );
}

async function until(condition: () => boolean, what: () => string): Promise<void> {
  const endMs = performance.now() + NEVER_MS;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`Waited for ${NEVER_MS / 1000} s: ${what()}.`);
    await sleep(50);
  }
}

function stuck({ answers, failures, refused }: Agents): string {
  return `${answers} answers, ${refused.size} agents refused, failures ${JSON.stringify(Object.fromEntries(failures))}`;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "2" },
      seed: { type: "string", default: String(randomInt(1_000_000)) },
      keep: { type: "boolean", default: false },
    },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes > 0) || !Number.isSafeInteger(seed))
    throw new RangeError("--minutes must be a number above 0 and --seed a whole number.");
  const command = `npm run soak:money -- --minutes ${minutes} --seed ${seed}`;
  console.log(`Seed ${seed}: ${command}`);
  const folder = await mkdtemp(path.join(tmpdir(), "bosun-soak-money-"));
  const started = (end: () => Promise<void>): void =>
    whenInterrupted(async () => {
      await end();
      if (!values.keep) await rm(folder, { recursive: true });
    });
  const result = await soakMoney({ minutes, seed, measured: [5, 20], folder, started });
  for (const line of summary(result)) console.log(line);
  if (result.problems.length > 0) {
    for (const problem of result.problems.slice(0, 50)) console.error(`BROKEN: ${problem}`);
    console.error(`${result.problems.length} problems. Ledger, bill and log: ${folder}. Again: ${command}`);
    process.exitCode = 1;
  } else if (values.keep) console.log(`Ledger, bill and log: ${folder}`);
  else await rm(folder, { recursive: true });
}

function summary({
  requests,
  answers,
  windows,
  kills,
  faults,
  failures,
  charged,
  billed,
  unreachable,
}: SoakResult): string[] {
  const usd = (nano: number): string => `${(nano / NANO_PER_USD).toFixed(2)} USD`;
  const counts = (map: ReadonlyMap<string, number>): string =>
    [...map]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  return [
    `${requests} requests in ${windows} windows, ${answers} answers; the gateway was killed ${kills} times`,
    `faults: ${counts(faults)}`,
    `agents saw: ${counts(failures)}`,
    `the upstream billed ${usd(billed)}, the ledger charged ${usd(charged)}`,
    ...unreachable.map(
      ({ usd: limit, left, longestPrompt }) =>
        `of ${limit} USD ${left.toFixed(3)} could not be reached (${((100 * left) / limit).toFixed(1)} %), with contexts up to ${longestPrompt} tokens`,
    ),
  ];
}
