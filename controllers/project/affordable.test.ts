import { expect, test } from "vitest";
import type { Need, Standing } from "../affordability.ts";
import type { Purse } from "../funds.ts";
import { affordable } from "./affordable.ts";

const nowMs = Date.parse("2026-01-05T12:00:00Z");
const estimate = {
  ...{ usd: 1.9, lowUSD: 1.2, highUSD: 3.1, tokens: 190_000, lowTokens: 120_000, highTokens: 310_000 },
  ...{ coveragePercent: 75, projects: 7 },
};
const purse = (leftUSD: number, more: Partial<Purse> = {}): Purse => ({
  budget: "default",
  period: "daily",
  timeZone: "Europe/Berlin",
  startMs: nowMs - 13 * 3_600_000,
  endMs: nowMs + 11 * 3_600_000,
  limit: { usd: 5, tokens: 500_000 },
  left: { usd: leftUSD, tokens: 100_000 },
  leftToFirst: { usd: leftUSD, tokens: 100_000 },
  ...more,
});
const usd = (amount: number): Need => ({ unit: "usd", amount });

test.each<[string, Standing, string, string]>([
  [
    "it fits",
    { is: "Fits", needs: usd(1.9), purse: purse(4.2) },
    "True",
    "It needs about 1.90 USD (1.20 to 3.10 in 75 % of cases, from 7 finished Projects); over 4.00 left until 00:00.",
  ],
  [
    "it just fits",
    { is: "Fits", needs: usd(1.9), purse: purse(1.95) },
    "True",
    "It needs about 1.90 USD (1.20 to 3.10 in 75 % of cases, from 7 finished Projects); 1.95 left until 00:00.",
  ],
  [
    "too little is left",
    { is: "TooLittleLeft", needs: usd(1.9), purse: purse(0.6) },
    "False",
    "It needs about 1.90, 0.60 left until 00:00: USD, daily limit of Budget default (1.20 to 3.10 in 75 % of cases, from 7 finished Projects).",
  ],
  [
    "a little is too little",
    { is: "TooLittleLeft", needs: usd(0.0156), purse: purse(0.0149) },
    "False",
    "It needs about 0.0156, 0.0149 left until 00:00: USD, daily limit of Budget default (1.90 in all, 1.20 to 3.10 in 75 % of cases, from 7 finished Projects).",
  ],
  [
    "too few tokens are left in the month",
    {
      is: "TooLittleLeft",
      needs: { unit: "tokens", amount: 190_000 },
      purse: purse(5, { period: "monthly", endMs: Date.parse("2026-01-31T23:00:00Z") }),
    },
    "False",
    "It needs about 190000, 100000 left until 2026-02-01 00:00: tokens, monthly limit of Budget default (120000 to 310000 in 75 % of cases, from 7 finished Projects).",
  ],
  [
    "the rest of begun work is told beside the whole",
    { is: "TooLittleLeft", needs: usd(0.9), purse: purse(0.6) },
    "False",
    "It needs about 0.90, 0.60 left until 00:00: USD, daily limit of Budget default (1.90 in all, 1.20 to 3.10 in 75 % of cases, from 7 finished Projects).",
  ],
  [
    "it is larger than the limit",
    { is: "NeverFits", needs: usd(7), purse: purse(5) },
    "False",
    "It never fits: needs about 7.00, the limit is 5.00: USD, daily limit of Budget default (1.20 to 3.10 in 75 % of cases, from 7 finished Projects). Raise the limit, or split the Project up.",
  ],
  [
    "another comes first",
    { is: "Behind", project: "large", since: "2026-01-04T20:00:00Z" },
    "False",
    "It would fit, but large comes first: it has waited for money since 2026-01-04T20:00:00Z.",
  ],
  [
    "too little is known",
    { is: "NoHistory" },
    "Unknown",
    "Fewer than three Projects are finished; the cost can't be estimated.",
  ],
  ["nothing is limited", { is: "NoLimit" }, "True", "No limit holds for it."],
])("where %s the condition says so", (_, standing, status, message) => {
  const said = affordable(standing, { estimate, nowMs });
  expect([said.status, said.reason, said.message]).toEqual([status, standing.is, message]);
});

test("where the estimate is gone by now, that is said in the place of its range", () => {
  const standing: Standing = { is: "Fits", needs: usd(1.9), purse: purse(4.2) };
  expect(affordable(standing, { estimate: undefined, nowMs }).message).toContain("(its estimate is gone)");
});

test("while more than enough is left a cent less is no other message", () => {
  const said = (left: number) =>
    affordable({ is: "Fits", needs: usd(1.9), purse: purse(left) }, { estimate, nowMs }).message;
  expect(said(4.21)).toBe(said(4.2));
  expect(said(3.9)).not.toBe(said(4.2));
});
