import { expect, test } from "vitest";
import { type BudgetAccount, NANO_PER_USD, type WindowAccount } from "../../pkg/gateway/money.ts";
import { aBudget } from "../testing/objects.ts";
import { exceeded, isNews, ready, windowStatus } from "./decide.ts";

const windowOf = (window: string, usd: number, tokens = 0, reservedUsd = 0): WindowAccount => ({
  window,
  startMs: 0,
  endMs: 86_400_000,
  spent: usd * NANO_PER_USD,
  reserved: reservedUsd * NANO_PER_USD,
  spentTokens: tokens,
  reservedTokens: 0,
  requests: 1,
  unsettled: 0,
});
const account = (dailyUsd: number, tokens = 0, boundViolated = false): BudgetAccount => ({
  budget: "all",
  daily: windowOf("2026-01-05", dailyUsd, tokens),
  monthly: windowOf("2026-01", dailyUsd, tokens),
  boundViolated,
});

test("what is left is the limit without what is spent and what is reserved", () => {
  expect(windowStatus(windowOf("2026-01-05", 4, 0, 1.5), { usd: 10 })).toMatchObject({
    spentUSD: 4,
    reservedUSD: 1.5,
    remainingUSD: 4.5,
  });
  const tokens = { ...windowOf("2026-01-05", 4, 60), reservedTokens: 30 };
  expect(windowStatus(tokens, { tokens: 100 })).toMatchObject({ remainingTokens: 10 });
  expect(windowStatus(tokens, { tokens: 80 })).toMatchObject({ remainingTokens: 0 });
  const unlimited = windowStatus(tokens, undefined);
  expect(Object.keys(unlimited).filter((key) => key.startsWith("remaining"))).toEqual([]);
});

const rows = [
  { name: "within its limits", usd: 5, want: ["False", "WithinLimits"] },
  { name: "at its limit", usd: 10, want: ["True", "LimitReached"] },
  { name: "a request was refused", usd: 5, refused: true, want: ["True", "TooLittleLeft"] },
  { name: "a bound was violated", usd: 0, violated: true, want: ["True", "BoundViolated"] },
  { name: "at its limit in tokens", usd: 0, tokens: 100, want: ["True", "LimitReached"] },
] as const;
for (const { name, usd, want, ...more } of rows)
  test(`a budget is used up or not: ${name}`, () => {
    const {
      refused = false,
      violated = false,
      tokens = 0,
    } = more as {
      refused?: boolean;
      violated?: boolean;
      tokens?: number;
    };
    const budget = aBudget({ daily: { usd: 10, tokens: 100 } });
    const said = exceeded(budget, account(usd, tokens, violated), refused);
    expect([said.status, said.reason]).toEqual(want);
  });

const DAY_ENDS = "1970-01-02T00:00:00Z";
const MONTH_ENDS = "1970-02-01T00:00:00Z";
test.each([
  {
    name: "the day is used up",
    spec: { daily: { usd: 4 }, monthly: { usd: 50 } },
    want: `$4.00 of $4.00 are spent for 2026-01-05; it opens again at ${DAY_ENDS}.`,
  },
  {
    name: "the month is used up",
    spec: { daily: { usd: 10 }, monthly: { tokens: 70 } },
    want: `70 of 70 tokens are spent for 2026-01; it opens again at ${MONTH_ENDS}.`,
  },
  {
    name: "both are used up: it was said to open with the next day",
    spec: { daily: { usd: 4 }, monthly: { tokens: 70 } },
    want: `$4.00 of $4.00 are spent for 2026-01-05; 70 of 70 tokens are spent for 2026-01; it opens again at ${MONTH_ENDS}.`,
  },
  {
    name: "what is left does not suffice",
    spec: { daily: { usd: 4.5, tokens: 100 } },
    want: `What is left does not suffice for a request ($4.00 of $4.50 and 70 of 100 tokens are spent for 2026-01-05); it opens again at ${DAY_ENDS}, or raise the limit.`,
  },
  {
    name: "only the month is limited: it was said to open with the next day",
    spec: { daily: undefined, monthly: { usd: 4.5 } },
    want: `What is left does not suffice for a request ($4.00 of $4.50 are spent for 2026-01); it opens again at ${MONTH_ENDS}, or raise the limit.`,
  },
  {
    name: "the month has less left than the day",
    spec: { daily: { usd: 5 }, monthly: { usd: 4.5 } },
    want: new RegExp(`2026-01-05; .*2026-01\\); it opens again at ${MONTH_ENDS}`),
  },
  {
    name: "the day has less left than the month",
    spec: { daily: { tokens: 71 }, monthly: { tokens: 72 } },
    want: new RegExp(`it opens again at ${DAY_ENDS}`),
  },
  {
    name: "the month has fewer tokens left than the day",
    spec: { daily: { usd: 5, tokens: 73 }, monthly: { usd: 50, tokens: 72 } },
    want: new RegExp(`it opens again at ${MONTH_ENDS}`),
  },
])("a budget says how much is spent of what, and when it opens again: $name", ({ spec, want }) => {
  const { daily, monthly, ...more } = account(4, 70);
  const seen = { ...more, daily, monthly: { ...monthly, endMs: 31 * 86_400_000 } };
  const { message } = exceeded(aBudget(spec), seen, true);
  if (typeof want === "string") expect(message).toBe(want);
  else expect(message).toMatch(want);
});

test.each([
  { limit: { usd: 0 }, what: "dollars" },
  { limit: { tokens: 0 }, what: "tokens" },
])("a limit of no $what is reached before anything is spent", ({ limit }) => {
  expect(exceeded(aBudget({ daily: limit }), account(0), false)).toMatchObject({
    status: "True",
    reason: "LimitReached",
  });
});

test("a violated bound names the request, and the command that lets money flow again", () => {
  const violated = { ...account(1, 0, true), violatedRequest: "r-7" };
  const { message } = exceeded(aBudget({ daily: { usd: 10 } }), violated, false);
  expect(message).toContain("bosun budget settle r-7 --cost USD");
});

test("a budget says that its zone is none, and in which its limits hold meanwhile", () => {
  const said = ready({ timeZone: "Mars/Phobos" }, account(1));
  expect(said).toMatchObject({ status: "False", reason: "UnknownTimeZone" });
  expect(said.message).toMatch(/such as Europe\/Berlin, not "Mars\/Phobos".*UTC/);
});

test("a budget whose gateway doubts the clock says so, in the gateway's words", () => {
  const utc = { timeZone: "UTC" };
  expect(ready(utc, account(1))).toMatchObject({ status: "True", reason: "InForce" });
  const clock = "ClockUnconfirmed: this machine's clock jumped by 24 h";
  expect(ready(utc, { ...account(1), clock })).toMatchObject({
    status: "Unknown",
    reason: "ClockUnconfirmed",
    message: clock,
  });
});

test("numbers are news when the window turns, a hundredth of the limit moves, or ten minutes pass", () => {
  const numbers = (usd: number, window = "2026-01-05") => ({
    daily: windowStatus(windowOf(window, usd), { usd: 10 }),
    monthly: windowStatus(windowOf("2026-01", usd), undefined),
  });
  const budget = aBudget({}, numbers(4));
  expect(isNews(budget, numbers(4.05), 1000)).toBe(false);
  expect(isNews(budget, numbers(4.05), 600_000)).toBe(true);
  expect(isNews(budget, numbers(4.2), 1000)).toBe(true);
  expect(isNews(budget, numbers(4, "2026-01-06"), 1000)).toBe(true);
  expect(isNews(aBudget(), numbers(4), 1000)).toBe(true);
});

test.each([
  { name: "taken away", before: { usd: 1 }, now: undefined },
  { name: "set", before: undefined, now: { usd: 1 } },
  { name: "set for tokens", before: { usd: 1 }, now: { usd: 1, tokens: 10 } },
  { name: "taken away for tokens", before: { usd: 1, tokens: 10 }, now: { usd: 1 } },
])(
  "a limit that is $name is news, also where nothing is left of it: it was told half an hour later",
  (row) => {
    const { before, now } = row;
    const numbers = (limit: typeof now) => ({
      daily: windowStatus(windowOf("2026-01-05", 4, 60), limit),
      monthly: windowStatus(windowOf("2026-01", 4, 60), undefined),
    });
    const budget = aBudget({ daily: now }, numbers(before));
    expect(isNews(budget, numbers(now), 1000)).toBe(true);
    expect(isNews(aBudget({ daily: now }, numbers(now)), numbers(now), 1000)).toBe(false);
  },
);

test("what comes back of reservations is news beneath a limit that was lowered under what is spent, too", () => {
  const account = (reserved: number) => windowStatus(windowOf("2026-01-05", 4, 0, reserved), { usd: 1 });
  const monthly = windowStatus(windowOf("2026-01", 4), undefined);
  const budget = aBudget({ daily: { usd: 1 } }, { daily: account(0.5), monthly });
  expect(isNews(budget, { daily: account(0.5), monthly }, 1000)).toBe(false);
  expect(isNews(budget, { daily: account(0), monthly }, 1000)).toBe(true);
  const settled = windowStatus(windowOf("2026-01-05", 4.5), { usd: 1 });
  expect(isNews(budget, { daily: settled, monthly }, 1000)).toBe(false);
});

test("what is spent beneath a limit of tokens that was lowered under it is news, as it is of dollars", () => {
  const spent = (tokens: number) => ({
    daily: windowStatus(windowOf("2026-01-05", 0, tokens), { tokens: 100 }),
    monthly: windowStatus(windowOf("2026-01", 0, tokens), undefined),
  });
  const budget = aBudget({ daily: { tokens: 100 } }, spent(400));
  expect(isNews(budget, spent(401), 1000)).toBe(false);
  expect(isNews(budget, spent(450), 1000)).toBe(true);
});
