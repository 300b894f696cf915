import { describe, expect, test } from "vitest";
import { boundsOf } from "./bound.ts";
import { decide, type Position } from "./budgets.ts";
import { wholeLimits } from "./grants.ts";
import type { BudgetPolicy } from "./money.ts";
import { type Price, priceOf } from "./prices.ts";

const PRICE = priceOf("claude-sonnet-5-5") as Price;
const NOW = Date.parse("2026-11-23T12:00:00Z");
const NO_WINDOWS = () => undefined;
const NOTHING: Position = { spent: 0, reserved: 0, spentTokens: 0, reservedTokens: 0 };
const DAILY: BudgetPolicy = { name: "all", uid: "u", daily: { usd: 1 }, timeZone: "UTC", selector: {} };

function bounds(maxTokens = 16_000) {
  const request = {
    model: "claude-sonnet-5-5",
    max_tokens: maxTokens,
    messages: [{ role: "user", content: "Hi" }],
  };
  return boundsOf(request, { price: PRICE, bases: [], maxOutputTokens: 16_000 });
}

function against(position: Partial<Position>, limit: BudgetPolicy = DAILY) {
  return wholeLimits([limit], NOW, NO_WINDOWS).map((grant) => ({
    grant,
    position: { ...NOTHING, ...position },
  }));
}

describe("a request", () => {
  const usd = (amount: number): number => amount * 1e9;
  const whole = bounds().with(16_000);
  const least = bounds().with(2_000);

  test("is granted its whole bound while there is room", () => {
    expect(decide(bounds(), against({}), NOW)).toEqual({ is: "granted", bound: whole });
    expect(decide(bounds(), against({ spent: usd(1) - whole.cost }), NOW)).toEqual({
      is: "granted",
      bound: whole,
    });
  });

  test("is lowered to what is left near the limit", () => {
    const decision = decide(bounds(), against({ spent: usd(1) - whole.cost + 10_000 }), NOW);
    expect(decision).toEqual({ is: "granted", bound: bounds().with(15_999) });
  });

  test("is lowered to 2,000 and no further: beneath that it is refused", () => {
    expect(decide(bounds(), against({ spent: usd(1) - least.cost }), NOW)).toEqual({
      is: "granted",
      bound: least,
    });
    expect(decide(bounds(), against({ spent: usd(1) - least.cost + 1 }), NOW)).toMatchObject({
      is: "refused",
      reason: "BudgetExceeded",
      message:
        "BudgetExceeded: needs about 0.0402 USD, 0.0402 USD left until 00:00 (daily limit of Budget all)",
      budgets: ["all"],
    });
  });

  test("waits when only the reservations of others are in its way", () => {
    expect(decide(bounds(), against({ reserved: usd(1) - whole.cost + 1 }), NOW)).toEqual({ is: "wait" });
    const tokens: BudgetPolicy = { ...DAILY, daily: { tokens: 50_000 } };
    const reservedTokens = 50_000 - whole.tokens;
    expect(decide(bounds(), against({ reservedTokens }, tokens), NOW)).toEqual({
      is: "granted",
      bound: whole,
    });
    expect(decide(bounds(), against({ reservedTokens: reservedTokens + 1 }, tokens), NOW)).toEqual({
      is: "wait",
    });
  });

  test("is refused when no Budget pays for it", () => {
    expect(decide(bounds(), [], NOW)).toMatchObject({ is: "refused", reason: "NoBudget", budgets: [] });
    expect(wholeLimits([{ ...DAILY, daily: {} }], NOW, NO_WINDOWS)).toEqual([]);
  });

  test("is refused in the name of those that have too little left, not of others that select it", () => {
    const team: BudgetPolicy = { ...DAILY, name: "team", monthly: { usd: 1 } };
    const enough: BudgetPolicy = { ...DAILY, daily: { usd: 1, tokens: least.tokens } };
    const both = [...against({ spent: usd(1) - least.cost }, enough), ...against({ spent: usd(1) }, team)];
    expect(decide(bounds(), both, NOW)).toMatchObject({ is: "refused", budgets: ["team"] });
  });

  test("keeps within tokens as within dollars, and within every Budget that selects it", () => {
    const tokens: BudgetPolicy = { ...DAILY, daily: { tokens: 20_000 }, monthly: { usd: 100 } };
    const decision = decide(bounds(), against({ spentTokens: 5_000 }, tokens), NOW);
    expect(decision).toMatchObject({ is: "granted", bound: { tokens: 15_000 } });
    expect(decide(bounds(), against({ spentTokens: 9_000 }, tokens), NOW)).toMatchObject({
      is: "refused",
      message: expect.stringMatching(/needs about \d+ tokens, 11000 tokens left until/),
    });
    expect(
      decide(bounds(), [...against({}), ...against({ spentTokens: 20_000 }, tokens)], NOW),
    ).toMatchObject({
      is: "refused",
    });
  });
});

test("a limit is never raised by binary fractions", () => {
  const limitOf = (usd: number) => wholeLimits([{ ...DAILY, daily: { usd } }], NOW, NO_WINDOWS)[0]?.limitCost;
  expect([0.29, 1.07].map(limitOf)).toEqual([290_000_000, 1_070_000_000]);
});
