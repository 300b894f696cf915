/** What happens to the gateway while the agents spend: kills, clocks, limits, people. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BudgetPolicy } from "../../../pkg/gateway/money.ts";
import type { Operator } from "./operator.ts";
import type { SoakUpstream } from "./upstream.ts";

const HOUR_MS = 3_600_000;
const FAILPOINTS = [
  "request-reserved",
  "request-connected",
  "request-sending",
  "request-sent",
  "request-answered",
  "request-settled",
];
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"];

const BUDGETS: readonly BudgetPolicy[] = [
  {
    name: "all",
    uid: "u-all",
    daily: { usd: 5, tokens: 8_000_000 },
    monthly: { usd: 60 },
    timeZone: "Europe/Berlin",
    selector: {},
  },
  { name: "red", uid: "u-red", daily: { usd: 3 }, timeZone: "America/New_York", selector: { team: "red" } },
  {
    name: "blue",
    uid: "u-blue",
    monthly: { tokens: 30_000_000 },
    timeZone: "UTC",
    selector: { team: "blue" },
  },
];

export interface ChaosOptions {
  operator: Operator;
  upstream: SoakUpstream;
  random: () => number;
  /** By this machine's clock. */
  untilMs: number;
}

/** Makes faults until it is time, ends with a right clock, and says how many of which there were. */
export async function chaos({
  operator,
  upstream,
  random,
  untilMs,
}: ChaosOptions): Promise<ReadonlyMap<string, number>> {
  const done = new Map<string, number>();
  let budgets = structuredClone(BUDGETS) as BudgetPolicy[];
  let names = 0;
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const change = async (to: (budget: BudgetPolicy) => BudgetPolicy): Promise<void> => {
    const changed = pick(budgets);
    budgets = budgets.map((budget) => (budget === changed ? to(budget) : budget));
    await operator.setBudgets(budgets);
  };
  /** More or less of what is limited, often less than what is spent. */
  const scaled = (budget: BudgetPolicy): BudgetPolicy => {
    const original = BUDGETS.find(({ uid }) => budget.uid.startsWith(uid)) ?? budget;
    const factor = pick([0.05, 0.3, 0.7, 1, 1, 1.5]);
    const of = (limit: BudgetPolicy["daily"]) =>
      limit && {
        ...(limit.usd === undefined ? {} : { usd: Math.round(limit.usd * factor * 100) / 100 }),
        ...(limit.tokens === undefined ? {} : { tokens: Math.round(limit.tokens * factor) }),
      };
    const daily = of(original.daily);
    const monthly = of(original.monthly);
    return { ...budget, ...(daily && { daily }), ...(monthly && { monthly }) };
  };
  const faults: Record<string, () => Promise<void> | void> = {
    kill: async () => {
      // With answers under way, if there are any soon: an idle gateway is easy to kill.
      for (let tries = 0; upstream.busy === 0 && tries < 50; tries += 1) await sleep(20);
      await operator.kill();
    },
    "die at a failpoint": async () => {
      operator.failpoint = `${pick(FAILPOINTS)}:${1 + Math.floor(random() * 8)}`;
      await operator.kill();
    },
    "time passes": () => operator.pass(HOUR_MS * (1 + 30 * random())),
    "a week passes": () => operator.pass(HOUR_MS * 24 * 7 * random()),
    "the machine sleeps": () => operator.sleepMachine(HOUR_MS * 20 * random()),
    "the clock is set wrong": async () => {
      operator.setWrong(HOUR_MS * (random() - 0.5) * pick([30, 60, 1_500]));
      await sleep(3_000 * random());
      if (random() < 0.7) operator.setWrong(0);
    },
    "the clock is set right": () => operator.setWrong(0),
    "limits change": () => change(scaled),
    "a zone changes": () => change((budget) => ({ ...budget, timeZone: pick(ZONES) })),
    "a selector changes": () =>
      change((budget) => ({
        ...budget,
        selector: pick<Record<string, string>>([{}, { team: "red" }, { team: "blue" }]),
      })),
    "a Budget is created anew": () => change((budget) => ({ ...budget, uid: `${budget.uid}-${++names}` })),
    "a person settles": () => settleOne(operator, upstream, random),
  };
  // New days and a right clock most of all: without money nothing can go wrong.
  const often = [...Array(6).fill("time passes"), "the clock is set right", "kill", "kill"];
  const weighted = [...Object.keys(faults), ...often];
  await operator.setBudgets(budgets);
  while (Date.now() < untilMs) {
    await sleep(800 * random());
    const name = pick(weighted);
    await faults[name]?.();
    done.set(name, (done.get(name) ?? 0) + 1);
  }
  operator.setWrong(0);
  return done;
}

/** A person has asked the upstream what one of the lost answers did cost. */
async function settleOne(operator: Operator, upstream: SoakUpstream, random: () => number): Promise<void> {
  const lost = operator.lines().flatMap((line) => (line.step === "unsettled" ? [line] : []));
  const chosen = lost[Math.floor(random() * lost.length)];
  const billed = upstream.bill.find(({ upstreamId }) => upstreamId === chosen?.upstreamId);
  if (chosen !== undefined && billed !== undefined) await operator.settle(chosen.id, billed.cost);
}
