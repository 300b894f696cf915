/** Puts Budgets in force at the gateway and reports what the ledger says. It enforces nothing: the gateway does. */
import type { NewCondition } from "../../pkg/api/conditions.ts";
import type { Agent, Budget, BudgetAlert, BudgetStatus } from "../../pkg/api/generated.ts";
import { keyOf, type ObjectKey } from "../../pkg/api/meta.ts";
import { sameJson } from "../../pkg/api/same-json.ts";
import { isAlreadyExists } from "../../pkg/api/status-error.ts";
import { policyOf } from "../../pkg/gateway/budget-policy.ts";
import type { BudgetAccount, BudgetPolicy, MoneyStanding } from "../../pkg/gateway/money.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { budgetMark } from "../budget-mark.ts";
import { budgetsInForce, type Deps, matches, unlessItFails, whenOf, withConditions } from "../deps.ts";
import { declared } from "../facts.ts";
import { alertEvent } from "./alert-event.ts";
import { alertsOf, type Limited } from "./alerts.ts";
import { exceeded, isNews, ready, tellAtLeastEveryMs, windowStatus } from "./decide.ts";

/** How often an account is looked at when nothing wakes us, in seconds: a gateway that lives says what changes. */
const lookAgainSeconds = 1800;
/**
 * An account changes with every request. It is looked at at most so often, in milliseconds; where a look brought no
 * news the next waits twice as long, up to sixteen times. What somebody acts upon, another hundredth of a limit or a
 * new window, is told at once.
 */
const lookAtMostMs = 30_000;
const lookAtMostMsMax = 16 * lookAtMostMs;
/** How long what the gateway said of all accounts counts while it says nothing else, in milliseconds. */
const saidMsMax = 1_000;

export function budgetController(deps: Deps): Controller {
  const { client, clock, namespace, money } = deps;
  /** When each Budget's numbers were last told, by `clock.elapsed`. */
  const told = new Map<string, number>();
  let everyMs = lookAtMostMs;
  /** Windows that are over and still have requests in flight, by Budget and period. */
  const closing = new Map<string, readonly string[]>();
  /** What the gateway was given last and has taken. */
  let inForce: readonly BudgetPolicy[] | undefined;
  /** All accounts, as the gateway said them, by `clock.elapsed`: a change wakes all Budgets, and one answer does for them. */
  let said: { standing: Promise<MoneyStanding | undefined>; atMs: number } | undefined;
  return {
    name: "budget",
    concurrency: 1,
    watches: [
      { kind: "Budget", by: declared, map: everyBudget },
      { kind: "Agent", by: (agent) => (agent as Agent).status?.budgetMark, map: everyBudget },
    ],
    signals: [
      {
        subscribe: (wake, signal) =>
          money.subscribe(
            () => {
              said = undefined;
              unlessItFails(wakeAll(wake));
            },
            { everyMs: () => everyMs, signal },
          ),
      },
    ],

    async reconcile(key: ObjectKey): Promise<Next> {
      const budgets = await budgetsInForce(deps);
      await putInForce(budgets.map(policyOf));
      const budget = budgets.find(({ metadata }) => metadata.name === key.name);
      if (budget === undefined) return settled;
      const account = (await accounts())?.find((one) => one.budget === budget.metadata.name);
      return inSeconds(Math.min(lookAgainSeconds, await report(budget, account)));
    },
  };

  /** The gateway is told what is new to it; one that is started anew gets from its client what it was told. */
  async function putInForce(policies: readonly BudgetPolicy[]): Promise<void> {
    if (sameJson(policies, inForce)) return;
    inForce = undefined;
    said = undefined;
    await money.setBudgets(policies);
    inForce = policies;
  }

  /** Those of all Budgets in force, as they are or were a second ago with no news since. Undefined: unknown. */
  async function accounts(): Promise<readonly BudgetAccount[] | undefined> {
    const now = clock.elapsed();
    if (said === undefined || now - said.atMs > saidMsMax) said = { standing: money.standing([]), atMs: now };
    const asked = said;
    try {
      const standing = await asked.standing;
      if (standing !== undefined) return standing.accounts;
      if (said === asked) said = undefined;
      return undefined;
    } catch (error) {
      if (said === asked) said = undefined;
      throw error;
    }
  }

  /** @returns seconds until the next window begins, or until what is not told yet has to be */
  async function report(budget: Budget, account: BudgetAccount | undefined): Promise<number> {
    const when = whenOf(clock, budget);
    if (account === undefined) {
      // Unknown is not zero: what was seen last stays.
      const condition: NewCondition = {
        type: "Ready",
        status: "Unknown",
        reason: "GatewayUnreachable",
        message: money.whyUnknown() ?? "The gateway can't be asked; nothing is granted.",
      };
      await writeStatus(client, "Budget", budget, {
        ...budget.status,
        conditions: withConditions(budget.status?.conditions, when, condition),
      });
      return 5;
    }
    const { corrections } = account;
    const refused = await refusedNow({ ...budget, status: { ...budget.status, corrections } });
    const numbers = {
      daily: windowStatus(account.daily, budget.spec.daily),
      monthly: windowStatus(account.monthly, budget.spec.monthly),
    };
    const news = isNews(budget, numbers, numbersAgeMs(budget));
    everyMs = news ? lookAtMostMs : Math.min(2 * everyMs, lookAtMostMsMax);
    const ended = await endedWindows(budget, account);
    if (ended === undefined) return 5;
    const alerts = alertsOf(budget, [...ended, ...running(budget, account)], timestamp(clock.now()));
    // First the Event, under a name that only this alert has: told once, whenever the operator dies.
    for (const alert of alerts.told) await tell(budget, alert);
    const condition = exceeded(budget, account, refused);
    const status: BudgetStatus = {
      ...budget.status,
      ...(news ? numbers : {}),
      alerts: alerts.all,
      corrections,
      observedGeneration: budget.metadata.generation,
      conditions: withConditions(budget.status?.conditions, when, condition, ready(budget.spec, account)),
    };
    await writeStatus(client, "Budget", budget, status);
    if (news) told.set(budget.metadata.name, clock.elapsed());
    const leftMs = Math.min(account.daily.endMs, account.monthly.endMs) - clock.now();
    // A window that is over by a clock that is not believed ends when the gateway says so: that wakes us.
    const untilTurnMs = leftMs > 0 ? leftMs : lookAgainSeconds * 1000;
    // Work may have ended meanwhile, and then nothing else wakes us.
    const isUntold = !sameJson(numbers, { daily: status.daily, monthly: status.monthly });
    const untilToldMs = isUntold ? tellAtLeastEveryMs - numbersAgeMs(budget) : untilTurnMs;
    return Math.max(1, Math.min(untilTurnMs, untilToldMs) / 1000);
  }

  /**
   * Windows of the last look that are over, as they ended: what was spent in their last minutes is told too. Undefined:
   * unknown.
   */
  async function endedWindows(budget: Budget, account: BudgetAccount): Promise<Limited[] | undefined> {
    const { name } = budget.metadata;
    const ended: Limited[] = [];
    for (const period of ["daily", "monthly"] as const) {
      const before = budget.status?.[period]?.window;
      const windows = new Set([
        ...(closing.get(`${name} ${period}`) ?? []),
        ...(before === undefined ? [] : [before]),
      ]);
      windows.delete(account[period].window);
      const open: string[] = [];
      for (const window of windows) {
        const last = await money.closedWindow(name, window);
        if (last === undefined) return undefined;
        ended.push({ account: last, limit: budget.spec[period] });
        if (last.reserved > 0) open.push(window);
      }
      closing.set(`${name} ${period}`, open);
    }
    return ended;
  }

  async function tell(budget: Budget, alert: BudgetAlert): Promise<void> {
    try {
      await client.create("Event", alertEvent(budget, alert, timestamp(clock.now())));
    } catch (error) {
      // Told by an operator that died before it could say so.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  function numbersAgeMs({ metadata }: Budget): number {
    return clock.elapsed() - (told.get(metadata.name) ?? Number.NEGATIVE_INFINITY);
  }

  /** Some agent was refused under the very windows and limits that hold now. */
  async function refusedNow(budget: Budget): Promise<boolean> {
    const { items } = await client.list("Agent", { namespace });
    const mark = budgetMark(budget);
    return items.some(
      ({ status, metadata }) =>
        matches(budget, metadata.labels) && status?.budgetMark?.split(" ").includes(mark),
    );
  }

  async function everyBudget(): Promise<readonly ObjectKey[]> {
    const { items } = await client.list("Budget", { namespace });
    return items.map(keyOf);
  }

  async function wakeAll(wake: (key: ObjectKey) => void): Promise<void> {
    for (const key of await everyBudget()) wake(key);
  }
}

function running({ spec }: Budget, { daily, monthly }: BudgetAccount): Limited[] {
  return [
    { account: daily, limit: spec.daily },
    { account: monthly, limit: spec.monthly },
  ];
}
