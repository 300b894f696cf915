import fc from "fast-check";
import { expect, test } from "vitest";
import type { Budget, BudgetAlert } from "../../pkg/api/generated.ts";
import { NANO_PER_USD, type WindowAccount } from "../../pkg/gateway/money.ts";
import { aBudget } from "../testing/objects.ts";
import { alertEvent } from "./alert-event.ts";
import { alertsOf, type Limited } from "./alerts.ts";

const time = "2026-01-05T12:00:00Z";
const windowOf = (window: string, usd: number, spentTokens = 0): WindowAccount => ({
  ...{ window, startMs: 0, endMs: 1, spent: Math.round(usd * NANO_PER_USD), reserved: 0 },
  ...{ spentTokens, reservedTokens: 0, requests: 1, unsettled: 0 },
});
const day = (usd: number, limit: Limited["limit"] = { usd: 10 }, tokens = 0): Limited => ({
  account: windowOf("2026-01-05", usd, tokens),
  limit,
});
const told = (...percents: number[]): BudgetAlert[] =>
  percents.map((percent) => ({ window: "2026-01-05", percent, time: "2026-01-05T08:00:00Z" }));

interface Row {
  name: string;
  windows: Limited[];
  spec?: Partial<Budget["spec"]>;
  before?: BudgetAlert[];
  wantAll: number[];
  wantTold: number[];
}

const rows: Row[] = [
  { name: "below the first threshold nothing is told", windows: [day(4.99)], wantAll: [], wantTold: [] },
  { name: "a threshold that is just reached is told", windows: [day(5)], wantAll: [50], wantTold: [50] },
  {
    name: "after a jump all are recorded and the highest is told",
    windows: [day(9.5)],
    wantAll: [50, 75, 90],
    wantTold: [90],
  },
  {
    name: "what was told is not told again",
    windows: [day(8)],
    before: told(50, 75),
    wantAll: [50, 75],
    wantTold: [],
  },
  {
    name: "a raised limit takes nothing back and tells nothing twice",
    windows: [day(9.5, { usd: 100 })],
    before: told(50, 75, 90),
    wantAll: [50, 75, 90],
    wantTold: [],
  },
  {
    name: "a limit lowered beneath what is spent tells the highest",
    windows: [day(5.5, { usd: 5 })],
    before: told(50),
    wantAll: [50, 75, 90],
    wantTold: [90],
  },
  {
    name: "a threshold lowered beneath what was told is recorded and not told",
    windows: [day(8)],
    spec: { alertPercents: [30, 50, 75] },
    before: told(50, 75),
    wantAll: [50, 75, 30],
    wantTold: [],
  },
  {
    name: "a new threshold above what was told is told",
    windows: [day(8)],
    spec: { alertPercents: [80] },
    before: told(50, 75),
    wantAll: [75, 80],
    wantTold: [80],
  },
  {
    name: "tokens count where they are the larger share",
    windows: [day(1, { usd: 10, tokens: 1000 }, 760)],
    wantAll: [50, 75],
    wantTold: [75],
  },
  {
    name: "tokens alone count",
    windows: [day(99, { tokens: 1000 }, 500)],
    wantAll: [50],
    wantTold: [50],
  },
  {
    name: "day and month are told each for itself",
    windows: [day(9), { account: windowOf("2026-01", 60), limit: { usd: 100 } }],
    wantAll: [50, 75, 90, 50],
    wantTold: [90, 50],
  },
  {
    name: "a window without a limit tells nothing",
    windows: [{ account: windowOf("2026-01-05", 9), limit: undefined }],
    wantAll: [],
    wantTold: [],
  },
  {
    name: "those of a window that is over go",
    windows: [{ account: windowOf("2026-01-06", 1), limit: { usd: 10 } }],
    before: told(50, 75, 90),
    wantAll: [],
    wantTold: [],
  },
];

for (const { name, windows, spec = {}, before = [], wantAll, wantTold } of rows)
  test(name, () => {
    const alerts = alertsOf(aBudget(spec, { alerts: before }), windows, time);
    expect(alerts.all.map(({ percent }) => percent)).toEqual(wantAll);
    expect(alerts.told.map(({ percent }) => percent)).toEqual(wantTold);
  });

test("the Event of an alert has one name however often it is made", () => {
  const [alert] = told(50);
  if (alert === undefined) throw new Error("There is no alert.");
  const budget = aBudget();
  expect(alertEvent(budget, alert, time).metadata.name).toBe("all.uid-of-a-2026-01-05-50");
  expect(alertEvent(budget, alert, time).metadata).toEqual(
    alertEvent(budget, { ...alert, time }, "2026-01-05T13:00:00Z").metadata,
  );
  const long = { ...budget, metadata: { ...budget.metadata, name: "b".repeat(253) } };
  expect(alertEvent(long, alert, time).metadata.name?.length).toBeLessThanOrEqual(253);
});

test("the Event of an alert is about its Budget, and says what is spent", () => {
  const [alert] = told(50);
  if (alert === undefined) throw new Error("There is no alert.");
  expect(alertEvent(aBudget(), alert, time)).toMatchObject({
    involvedObject: { kind: "Budget", namespace: "default", name: "all", uid: "uid-of-all" },
    ...{ type: "Warning", reason: "BudgetAlert", firstTimestamp: time, lastTimestamp: time, count: 1 },
    message: "50 % of the limit for 2026-01-05 are spent.",
  });
});

type Step =
  | { do: "spend"; usd: number }
  | { do: "limit"; usd: number }
  | { do: "thresholds"; percents: number[] }
  | { do: "look" }
  /** The operator dies after it has told and before it has written what it told. */
  | { do: "lookAndDie" }
  | { do: "turn" };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("spend" as const), usd: fc.integer({ min: 0, max: 6 }) }),
  },
  fc.record({ do: fc.constant("limit" as const), usd: fc.integer({ min: 1, max: 20 }) }),
  fc.record({
    do: fc.constant("thresholds" as const),
    percents: fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 10 }),
  }),
  { weight: 4, arbitrary: fc.record({ do: fc.constant("look" as const) }) },
  fc.record({ do: fc.constant("lookAndDie" as const) }),
  fc.record({ do: fc.constant("turn" as const) }),
);

test("whatever is spent, edited and crashes: no threshold is told twice in its window, and none that is passed is missing", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      let [number, spentUSD, limitUSD] = [1, 0, 10];
      let alertPercents = [50, 75, 90];
      let alerts: BudgetAlert[] = [];
      /** The window of the last look that was written down. */
      let seen = "day 1";
      const ends = new Map<string, number>();
      const events = new Map<string, { percent: number; window: string }>();
      const look = (dies: boolean): void => {
        const window = `day ${number}`;
        const limit = { usd: limitUSD };
        const budget = aBudget({ daily: limit, alertPercents }, { alerts });
        const ended = seen === window ? [] : [{ account: windowOf(seen, ends.get(seen) ?? 0), limit }];
        const windows = [...ended, { account: windowOf(window, spentUSD), limit }];
        const found = alertsOf(budget, windows, time);
        // The API takes each name once; a second one would be one told twice, unless the operator died in between.
        for (const alert of found.told)
          events.set(alertEvent(budget, alert, time).metadata.name ?? "", alert);
        if (dies) return;
        const before = alerts;
        alerts = found.all;
        seen = window;
        const keys = alerts.map((alert) => `${alert.window} ${alert.percent}`);
        expect(new Set(keys).size).toBe(keys.length);
        expect(alerts.length).toBeLessThanOrEqual(60);
        for (const { account } of windows) {
          const share = (account.spent / NANO_PER_USD / limitUSD) * 100;
          const passed = alertPercents.filter((percent) => percent <= share);
          for (const percent of passed) expect(keys).toContain(`${account.window} ${percent}`);
          // Who was told the highest that ever was passed knows of all beneath it.
          const highest = Math.max(
            0,
            ...[...events.values()]
              .filter((one) => one.window === account.window)
              .map(({ percent }) => percent),
          );
          expect(highest).toBeGreaterThanOrEqual(Math.max(0, ...passed));
        }
        for (const alert of found.told) {
          const known = before.filter(({ window: of }) => of === alert.window).map(({ percent }) => percent);
          expect(alert.percent).toBeGreaterThan(Math.max(0, ...known));
        }
      };
      for (const step of steps) {
        if (step.do === "spend") spentUSD += step.usd;
        if (step.do === "limit") limitUSD = step.usd;
        if (step.do === "thresholds") alertPercents = step.percents;
        if (step.do === "look") look(false);
        if (step.do === "lookAndDie") look(true);
        if (step.do === "turn") {
          ends.set(`day ${number}`, spentUSD);
          // At most one window passes unseen: at each turn the controller looks.
          if (seen !== `day ${number}`) look(false);
          number += 1;
          spentUSD = 0;
        }
      }
    }),
    { numRuns: 500 },
  );
});
