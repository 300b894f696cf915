import { expect, test } from "vitest";
import type { Budget, BudgetSpec } from "../../pkg/api/generated.ts";
import {
  type BudgetAccount,
  type BudgetPolicy,
  NANO_PER_USD,
  type WindowAccount,
} from "../../pkg/gateway/money.ts";
import type { Next } from "../../pkg/runtime/controller.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import { budgetMark } from "../budget-mark.ts";
import { aBudget, anAgent, NOW } from "../testing/objects.ts";
import { openWorld, type TestWorld } from "../testing/world.ts";
import { budgetController } from "./controller.ts";

const KEY = { namespace: "default", name: "all" };
const HOUR_MS = 3_600_000;

const windowOf = (window: string, usd: number, more: Partial<WindowAccount> = {}): WindowAccount => ({
  ...{
    window,
    startMs: NOW - 12 * HOUR_MS,
    endMs: NOW + 12 * HOUR_MS,
    spent: usd * NANO_PER_USD,
    reserved: 0,
  },
  ...{ spentTokens: 0, reservedTokens: 0, requests: 1, unsettled: 0, ...more },
});
const today = (usd: number, more: Partial<WindowAccount> = {}): BudgetAccount => ({
  ...{ budget: "all", boundViolated: false, daily: windowOf("2026-01-05", usd, more) },
  monthly: windowOf("2026-01", usd, { endMs: NOW + 600 * HOUR_MS }),
});

/** A gateway that says so of the Budget called all. */
class Gateway {
  says: BudgetAccount | undefined;
  closed: WindowAccount | undefined;
  inForce: readonly BudgetPolicy[] = [];
  /** What becomes of the next attempt to put Budgets in force. */
  fails: "Unsent" | "Unanswered" | undefined;
  moved = (): void => {};

  constructor(says: BudgetAccount) {
    this.says = says;
  }

  setBudgets = async (policies: readonly BudgetPolicy[]) => {
    const { fails } = this;
    this.fails = undefined;
    if (fails !== "Unsent") this.inForce = policies;
    if (fails !== undefined) throw new TransientError("GatewayUnreachable", fails);
  };
  standing = async () => (this.says === undefined ? undefined : { accounts: [this.says], spent: [] });
  closedWindow = async () => this.closed;
  whyUnknown = () => "It does not answer.";
  subscribe = (wake: () => void) => {
    this.moved = wake;
  };
}

function opened({ deps }: TestWorld): () => Promise<Next> {
  const controller = budgetController(deps);
  for (const { subscribe } of controller.signals ?? [])
    subscribe(() => undefined, new AbortController().signal);
  return () => controller.reconcile(KEY, new AbortController().signal);
}
const setSpec = ({ deps }: TestWorld, spec: Partial<BudgetSpec>) =>
  deps.client.patch("Budget", KEY, { spec });
const percents = ({ status }: Budget) =>
  (status?.alerts ?? []).map(({ window, percent }) => `${window} ${percent}`);

test("a limit is put in force until the gateway says that it is, and an earlier one like any other", async () => {
  const gateway = new Gateway(today(0));
  const world = await openWorld([aBudget({ daily: { usd: 10 } })], { money: gateway });
  const look = opened(world);
  await look();
  await setSpec(world, { daily: { usd: 5 } });
  gateway.fails = "Unsent";
  await expect(look()).rejects.toThrow("Unsent");
  await look();
  expect(gateway.inForce).toMatchObject([{ name: "all", daily: { usd: 5 } }]);
  await setSpec(world, { daily: { usd: 20 } });
  gateway.fails = "Unanswered";
  await expect(look()).rejects.toThrow("Unanswered");
  await setSpec(world, { daily: { usd: 5 } });
  await look();
  expect(gateway.inForce).toMatchObject([{ daily: { usd: 5 } }]);
});

test("a gateway that can't be asked takes nothing back of what was said, and is asked again soon", async () => {
  const gateway = new Gateway(today(4));
  const world = await openWorld([aBudget()], { money: gateway });
  const look = opened(world);
  await look();
  const before = (await world.the("Budget", "all")).status;
  gateway.says = undefined;
  gateway.moved();
  expect(await look()).toEqual({ after: "ms", ms: 5_000 });
  const { status } = await world.the("Budget", "all");
  expect(status).toMatchObject({ daily: before?.daily, monthly: before?.monthly });
  expect(status?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
    ...{ status: "Unknown", reason: "GatewayUnreachable", message: "It does not answer." },
  });
  gateway.says = today(5);
  await look();
  expect((await world.the("Budget", "all")).status?.daily?.spentUSD).toBe(5);
});

test("what is too little to be told at once is told ten minutes later, though nothing is spent any more: it took half an hour", async () => {
  const gateway = new Gateway(today(4));
  const world = await openWorld([aBudget()], { money: gateway });
  const look = opened(world);
  const told = async () => (await world.the("Budget", "all")).status?.daily?.spentUSD;
  expect(await look()).toEqual({ after: "ms", ms: 1_800_000 });
  gateway.says = today(4.01);
  gateway.moved();
  await world.clock.advance(60_000);
  expect(await look()).toEqual({ after: "ms", ms: 540_000 });
  expect(await told()).toBe(4);
  await world.clock.advance(540_000);
  expect(await look()).toEqual({ after: "ms", ms: 1_800_000 });
  expect(await told()).toBe(4.01);
});

test("what is spent in a window's last minutes is told when it is over, also of requests that end later", async () => {
  const gateway = new Gateway(today(4));
  const world = await openWorld([aBudget()], { money: gateway });
  const look = opened(world);
  await look();
  expect(percents(await world.the("Budget", "all"))).toEqual([]);
  gateway.says = { ...today(0), daily: windowOf("2026-01-06", 0) };
  gateway.closed = windowOf("2026-01-05", 5, { reserved: 1 });
  gateway.moved();
  await look();
  gateway.closed = windowOf("2026-01-05", 9.5);
  gateway.moved();
  await look();
  const { items } = await world.deps.client.list("Event");
  expect(items.map(({ message }) => message).sort()).toEqual([
    "50 % of the limit for 2026-01-05 are spent.",
    "90 % of the limit for 2026-01-05 are spent.",
  ]);
});

test("an alert that an operator told before it died is recorded, and not told again", async () => {
  const world = await openWorld([aBudget()], { money: new Gateway(today(5)) });
  await opened(world)();
  const status = { alerts: null };
  await world.deps.client.patch("Budget", KEY, { status }, { subresource: "status" });
  await opened(world)();
  expect(percents(await world.the("Budget", "all"))).toEqual(["2026-01-05 50"]);
  expect((await world.deps.client.list("Event")).items).toHaveLength(1);
});

test.each([
  { name: "ends soon is looked at then", endMs: NOW + 60_000, wantMs: 60_000 },
  { name: "goes on for long is looked at by and by", endMs: NOW + 5 * HOUR_MS, wantMs: 1_800_000 },
  // The gateway says when it ends, by a clock that is believed.
  {
    name: "is over by a clock that is not believed is not looked at all the time",
    endMs: NOW - 1,
    wantMs: 1_800_000,
  },
])("a window that $name", async ({ endMs, wantMs }) => {
  const world = await openWorld([aBudget()], { money: new Gateway(today(0, { endMs })) });
  expect(await opened(world)()).toEqual({ after: "ms", ms: wantMs });
});

test.each([
  {
    name: "what is in force",
    mark: (budget: Budget) => `another:1 ${budgetMark(budget)}`,
    want: "TooLittleLeft",
  },
  { name: "what was in force yesterday", mark: () => "all:2026-01-04:10::::", want: "WithinLimits" },
])("a Budget under which an agent was refused by $name: $want", async ({ mark, want }) => {
  const budget = aBudget({}, { daily: { window: "2026-01-05" } });
  const world = await openWorld([budget, anAgent({ budgetMark: mark(budget) })], {
    money: new Gateway(today(9.9)),
  });
  await opened(world)();
  const { status } = await world.the("Budget", "all");
  expect(status?.conditions?.find(({ type }) => type === "Exceeded")?.reason).toBe(want);
});
