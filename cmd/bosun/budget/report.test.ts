import fc from "fast-check";
import { expect, test } from "vitest";
import type { Budget } from "../../../pkg/api/generated.ts";
import type { Line, Step } from "../../../pkg/gateway/ledger-lines.ts";
import { LedgerState } from "../../../pkg/gateway/ledger-state.ts";
import { priceOf } from "../../../pkg/gateway/prices.ts";
import { renderReport } from "./render.ts";
import { KEYS, reportOf, type Totals } from "./report.ts";
import { roundShares } from "./round-shares.ts";

const NOW = Date.parse("2026-11-23T20:00:00Z");
const MINUTE = 60_000;
const price = priceOf("claude-sonnet-5-5");

const aBudget = (spec: Partial<Budget["spec"]> = {}, name = "default"): Budget => ({
  apiVersion: "bosun.dev/v1alpha1",
  kind: "Budget",
  metadata: { name, uid: `uid-of-${name}` },
  spec: { daily: { usd: 5 }, timeZone: "UTC", alertPercents: [50, 75, 90], ...spec },
});

interface Made {
  minutesAgo?: number;
  project?: string;
  agent?: string;
  model?: string;
  purpose?: "execute" | "review";
  team?: string;
  cost: number;
  tokens?: number;
  ending?: "settled" | "unsettled" | "released" | "sent" | "none";
  resume?: string;
  again?: string;
}

function ledgerOf(made: readonly Made[]): LedgerState {
  const state = new LedgerState();
  const append = (step: Step, at: number): void => state.apply({ seq: state.seq + 1, at, ...step } as Line);
  append({ step: "opened", ledger: "l", version: 1 }, NOW - 100 * 24 * 60 * MINUTE);
  if (price === undefined) throw new Error("The price file has no sonnet.");
  for (const [index, one] of made.entries()) {
    const id = `r${index}`;
    const at = NOW - (one.minutesAgo ?? 1) * MINUTE;
    const { cost, tokens = 100, ending = "settled" } = one;
    append(
      {
        ...{
          step: "reserved",
          id,
          at,
          session: "s",
          run: 1,
          pool: "p",
          grants: [],
          maxTokens: 1,
          inputTokens: 1,
        },
        agent: one.agent ?? "agent-1",
        project: one.project ?? "retry",
        purpose: one.purpose ?? "execute",
        model: one.model ?? "claude-sonnet-5-5",
        labels: { team: one.team ?? "red" },
        ...{ cost: cost * 2, tokens: tokens * 2, price },
        ...(one.resume === undefined ? {} : { resume: one.resume }),
        ...(one.again === undefined ? {} : { again: one.again }),
      },
      at,
    );
    if (ending === "released") append({ step: "released", id, why: "no connection" }, at);
    if (["settled", "unsettled", "sent"].includes(ending)) append({ step: "sent", id }, at);
    const usage = { input: 1, output: 1, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
    if (ending === "settled") append({ step: "settled", id, status: 200, usage, cost, tokens }, at);
    if (ending === "unsettled") append({ step: "unsettled", id, why: "cut", cost, tokens }, at);
  }
  return state;
}

const anyRequest: fc.Arbitrary<Made> = fc.record({
  minutesAgo: fc.integer({ min: 0, max: 60 * 24 * 40 }),
  project: fc.constantFrom("a", "b", "c"),
  agent: fc.constantFrom("agent-1", "agent-2"),
  model: fc.constantFrom("claude-sonnet-5-5", "claude-haiku-5-5"),
  purpose: fc.constantFrom("execute", "review"),
  team: fc.constantFrom("red", "blue"),
  cost: fc.integer({ min: 0, max: 3_000_000_000 }),
  tokens: fc.integer({ min: 0, max: 100_000 }),
  ending: fc.constantFrom("settled", "unsettled", "released", "sent", "none"),
});

test("in every window each key's groups add up to it exactly, and it to what the gateway counts", () => {
  fc.assert(
    fc.property(fc.array(anyRequest, { maxLength: 60 }), (made) => {
      const ordered = [...made].sort((a, b) => (b.minutesAgo ?? 0) - (a.minutesAgo ?? 0));
      const state = ledgerOf(ordered);
      const selector = { matchLabels: { team: "blue" } };
      const budgets = [aBudget(), aBudget({ selector, timeZone: "Asia/Tokyo" }, "blue")];
      for (const { budget, daily, monthly } of reportOf(state, budgets, NOW))
        for (const window of [daily, monthly]) {
          const { startMs, endMs } = window;
          const counted = state.sums({
            ...(budget === "blue" ? { selector: { team: "blue" } } : {}),
            ...{ startMs, endMs },
          });
          const { spent, reserved, spentTokens, reservedTokens, requests, unsettled } = window;
          expect({
            spent,
            reserved,
            spentTokens,
            reservedTokens,
            requests,
            unsettled: unsettled.requests,
          }).toEqual(counted);
          for (const key of KEYS) {
            const sum = (of: (group: Totals) => number) =>
              window.by[key].reduce((all, group) => all + of(group), 0);
            expect(sum((group) => group.spent)).toBe(spent);
            expect(sum((group) => group.reserved)).toBe(reserved);
            expect(sum((group) => group.spentTokens)).toBe(spentTokens);
            expect(sum((group) => group.requests)).toBe(requests);
            expect(sum((group) => group.unsettled.cost)).toBe(window.unsettled.cost);
          }
        }
    }),
    { numRuns: 200 },
  );
});

test("rounded shares add up to the rounded sum, and none is off by a whole unit", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 10_000_000 }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 100_000 }),
      (values, unit) => {
        const shares = roundShares(values, unit);
        const sum = values.reduce((all, value) => all + value, 0);
        expect(shares.reduce((all, share) => all + share, 0)).toBe(Math.round(sum / unit));
        for (const [index, share] of shares.entries())
          expect(Math.abs(share - (values[index] ?? 0) / unit)).toBeLessThan(1);
      },
    ),
  );
});

const lines = (
  made: readonly Made[],
  budgets: Budget | readonly Budget[] = aBudget(),
  keys: readonly (typeof KEYS)[number][] = ["project"],
  period?: "daily" | "monthly",
) => renderReport(reportOf(ledgerOf(made), [budgets].flat(), NOW), { nowMs: NOW, keys, period });

test("the page has limits, how long they last, and on what the money went; rows add up as shown", () => {
  const made: Made[] = [
    { minutesAgo: 120, project: "retry", cost: 700_000_000, tokens: 9_000 },
    { minutesAgo: 30, project: "slugs", cost: 333_333_333, tokens: 4_000, ending: "unsettled" },
    { minutesAgo: 20, project: "dates", cost: 333_333_333, tokens: 4_000, resume: "r1" },
    { minutesAgo: 10, project: "names", cost: 333_333_333, tokens: 4_000, again: "r2" },
    { minutesAgo: 0, project: "retry", cost: 100_000_000, tokens: 1_000, ending: "none" },
  ];
  expect(lines(made)).toEqual([
    "BUDGET    WINDOW       LIMIT   SPENT     RESERVED   LEFT      REQUESTS   UNSETTLED",
    "default   2026-11-23   $5.00   $1.7000   $0.2000    $3.1000   5          1",
    "",
    "default 2026-11-23: 1.00 USD/h over the last 60 min; exhausted at about 23:06 (UTC).",
    "",
    "By project, 2026-11-23:",
    "PROJECT   SPENT     TOKENS   REQUESTS   RESERVED   UNSETTLED     PAID AGAIN",
    "retry     $0.7000   9000     2          $0.2000",
    "dates     $0.3334   4000     1                                   $0.3334 (1)",
    "names     $0.3333   4000     1                                   $0.3333 (1)",
    "slugs     $0.3333   4000     1                     $0.3333 (1)",
    "TOTAL     $1.7000   21000    5          $0.2000    $0.3333 (1)   $0.6667 (2)",
  ]);
});

test.each<[string, Made[], Budget, RegExp]>([
  [
    "nothing was spent",
    [],
    aBudget(),
    /0\.00 USD\/h over the last 5 min; lasts until the window turns at 00:00 \(UTC\)/,
  ],
  [
    "it is spent slowly",
    [{ minutesAgo: 30, cost: 100_000_000 }],
    aBudget(),
    /0\.20 USD\/h over the last 30 min; lasts until the window turns at 00:00/,
  ],
  [
    "nothing is left",
    [{ minutesAgo: 90, cost: 5_000_000_000 }],
    aBudget(),
    /exhausted until the window turns at 00:00 \(UTC\)/,
  ],
  [
    "tokens run out first",
    [{ minutesAgo: 60, cost: 1_000_000_000, tokens: 6_000 }],
    aBudget({ daily: { usd: 5, tokens: 9_000 } }),
    /1\.00 USD\/h, 6000 tokens\/h over the last 60 min; exhausted at about 20:30/,
  ],
  [
    "the clock is another zone's",
    [{ minutesAgo: 60, cost: 2_500_000_000 }],
    aBudget({ timeZone: "Asia/Tokyo" }),
    /exhausted at about 06:00 \(Asia\/Tokyo\)/,
  ],
])("where %s the outlook says so", (_, made, budget, want) => {
  expect(lines(made, budget).find((line) => line.startsWith("default 2026"))).toMatch(want);
});

test("a table among others ends with the rest in one row, one alone has them all", () => {
  const endings = ["settled", "unsettled", "none"] as const;
  const made = Array.from({ length: 14 }, (_, index) => ({
    ...{ project: `p-${index + 10}`, cost: (20 - index) * 1_000_000, tokens: 10 + index },
    ...(index < 11 ? {} : { ending: endings[index - 11], resume: "r0" }),
  }));
  const among = lines(made, aBudget(), ["project", "agent"]);
  // Ten projects, then p-20 and what is unsettled of p-22 and in flight of p-23.
  expect(among.find((line) => line.startsWith("(4 more)"))?.split(/ {2,}/)).toEqual([
    "(4 more)",
    "$0.0270",
    "63",
    "4",
    "$0.0140",
    "$0.0080 (1)",
    "$0.0170 (2)",
  ]);
  expect(among.filter((line) => line.startsWith("p-")).length).toBe(10);
  expect(lines(made.slice(0, 11), aBudget(), ["project", "agent"]).join("\n")).toContain("p-20");
  expect(lines(made, aBudget(), ["project"]).join("\n")).toContain("p-23");
});

test("a Budget in tokens alone shows tokens", () => {
  const made: Made[] = [
    { cost: 1, tokens: 700 },
    { cost: 1, tokens: 50, ending: "none" },
  ];
  expect(lines(made, aBudget({ daily: { tokens: 1_000 } })).slice(1, 4)).toEqual([
    "default   2026-11-23   1000 tokens   700     100        200    2          0",
    "",
    "default 2026-11-23: 8400 tokens/h over the last 5 min; exhausted at about 20:01 (UTC).",
  ]);
});

test("each table is of the window and the Budget that it names", () => {
  const made: Made[] = [{ minutesAgo: 3 * 24 * 60, cost: 1_000_000 }];
  const last = (...of: Parameters<typeof lines> extends [unknown, ...infer R] ? R : never) =>
    lines(made, ...of).filter((line) => /^(By|No) /.test(line));
  expect(last()).toEqual(["No request in 2026-11-23."]);
  expect(last(aBudget(), ["agent"], "monthly")).toEqual(["By agent, 2026-11:"]);
  expect(last(aBudget({ daily: undefined, monthly: { usd: 9 } }))).toEqual(["By project, 2026-11:"]);
  expect(last(aBudget({ daily: undefined }))).toEqual(["No request in 2026-11-23."]);
  expect(last([aBudget(), aBudget({}, "more")], ["project"], "monthly")).toEqual([
    "By project, 2026-11 of Budget default:",
    "By project, 2026-11 of Budget more:",
  ]);
});

test("requests are told apart by each key, the dearest first", () => {
  const made: Made[] = [
    { project: "a", agent: "agent-2", model: "claude-haiku-5-5", purpose: "review", cost: 2 },
    { project: "b", agent: "agent-1", model: "claude-sonnet-5-5", purpose: "execute", cost: 3 },
  ];
  const [report] = reportOf(ledgerOf(made), [aBudget()], NOW);
  const names = KEYS.map((key) => report?.daily.by[key].map(({ name }) => name));
  expect(names).toEqual([
    ["b", "a"],
    ["agent-1", "agent-2"],
    ["claude-sonnet-5-5", "claude-haiku-5-5"],
    ["execute", "review"],
  ]);
});

test("a request at the first moment of a day belongs to it, one just before to the day before", () => {
  const midnight = 20 * 60;
  const state = ledgerOf([
    { minutesAgo: midnight + 1 / 60_000, cost: 7 },
    { minutesAgo: midnight, cost: 5 },
  ]);
  expect(reportOf(state, [aBudget()], NOW)[0]?.daily).toMatchObject({ window: "2026-11-23", spent: 5 });
});

test("a clock that was set back does not bring an earlier window back", () => {
  const state = ledgerOf([{ minutesAgo: 0, cost: 5 }]);
  const [report] = reportOf(state, [aBudget()], NOW - 3 * 24 * 60 * MINUTE);
  expect(report?.daily).toMatchObject({ window: "2026-11-23", spent: 5 });
});

test("a clock that is set forward and confirmed by nobody shows the window that money is counted in, not its own", () => {
  const state = ledgerOf([{ minutesAgo: 0, cost: 5 }]);
  const tomorrow = NOW + 26 * 60 * MINUTE;
  const condition = { type: "Ready", message: "", lastTransitionTime: "2026-11-24T22:00:00Z" } as const;
  const budget = (reason: string): Budget => ({
    ...aBudget(),
    status: { conditions: [{ ...condition, status: "Unknown", reason }] },
  });
  const [doubted] = reportOf(state, [budget("ClockUnconfirmed")], tomorrow);
  expect(doubted?.daily).toMatchObject({ window: "2026-11-23", spent: 5 });
  const [trusted] = reportOf(state, [budget("InForce")], tomorrow);
  expect(trusted?.daily).toMatchObject({ window: "2026-11-24", spent: 0 });
});
