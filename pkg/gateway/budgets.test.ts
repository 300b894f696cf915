import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundsOf } from "./bound.ts";
import { decide, type Position } from "./budgets.ts";
import { type Grant, selects, wholeLimits } from "./grants.ts";
import { LedgerState } from "./ledger-state.ts";
import type { BudgetPolicy } from "./money.ts";
import { type Price, priceOf } from "./prices.ts";

const PRICE = priceOf("claude-sonnet-5-5") as Price;
const NOW = Date.parse("2026-11-23T12:00:00Z");
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
  return wholeLimits([limit], NOW).map((grant) => ({ grant, position: { ...NOTHING, ...position } }));
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
        "BudgetExceeded: needs about 0.0402 USD, 0.0402 USD left until 00:00 (daily limit of Budget all)".replace(
          "00:00",
          "2026-11-24 00:00",
        ),
    });
  });

  test("waits when only the reservations of others are in its way", () => {
    expect(decide(bounds(), against({ reserved: usd(1) - whole.cost + 1 }), NOW)).toEqual({ is: "wait" });
  });

  test("is refused when no Budget pays for it", () => {
    expect(decide(bounds(), [], NOW)).toMatchObject({ is: "refused", reason: "NoBudget" });
    expect(wholeLimits([{ ...DAILY, daily: {} }], NOW)).toEqual([]);
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
  expect(wholeLimits([{ ...DAILY, daily: { usd: 0.29 } }], NOW)[0]?.limitCost).toBe(290_000_000);
});

/** Something that happens to the ledger; `which` picks among what it can happen to. */
const happening = fc.oneof(
  fc.record({
    does: fc.constant("ask" as const),
    maxTokens: fc.integer({ min: 1, max: 40_000 }),
    team: fc.constantFrom("red", "blue", "green"),
  }),
  fc.record({
    does: fc.constantFrom("send" as const, "settle" as const),
    which: fc.nat(50),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ does: fc.constantFrom("lose" as const, "release" as const), which: fc.nat(50) }),
  fc.record({ does: fc.constant("wait" as const), hours: fc.integer({ min: -30, max: 60 }) }),
);

test("no interleaving of requests, endings and turning windows takes spent and reserved over a limit", () => {
  const budgets: BudgetPolicy[] = [
    {
      name: "all",
      uid: "a",
      daily: { usd: 0.5, tokens: 60_000 },
      monthly: { usd: 1.2 },
      timeZone: "Europe/Berlin",
      selector: {},
    },
    { name: "red", uid: "r", daily: { usd: 0.3 }, timeZone: "America/New_York", selector: { team: "red" } },
    { name: "blue", uid: "b", monthly: { tokens: 70_000 }, timeZone: "UTC", selector: { team: "blue" } },
  ];
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
      const state = new LedgerState();
      const seen = new Map<string, Grant>();
      let now = Date.parse("2026-10-24T20:00:00Z");
      const line = <S extends object>(step: S) => ({ seq: state.seq + 1, at: now, ...step });
      const positionOf = ({ selector, window: { startMs, endMs } }: Grant) =>
        state.sums({ selector, startMs, endMs });
      state.apply(line({ step: "opened", ledger: "l", version: 1 } as const));

      for (const event of happenings) {
        if (event.does === "wait") now += event.hours * 3_600_000;
        if (event.does === "ask") {
          const labels = { team: event.team };
          const grants = wholeLimits(budgets, now).filter(({ selector }) => selects(selector, labels));
          for (const grant of grants) seen.set(grant.id, grant);
          const decision = decide(
            bounds(event.maxTokens),
            grants.map((grant) => ({ grant, position: positionOf(grant) })),
            now,
          );
          if (decision.is === "granted") {
            const { cost, tokens, inputTokens, outputTokens: maxTokens } = decision.bound;
            const payer = {
              session: "s",
              run: 1,
              agent: "a",
              pool: "p",
              project: "x",
              purpose: "execute",
              labels,
            } as const;
            const id = `r${state.seq}`;
            state.apply(
              line({
                step: "reserved",
                id,
                ...payer,
                grants: [],
                model: "m",
                price: PRICE,
                cost,
                tokens,
                inputTokens,
                maxTokens,
              } as const),
            );
          }
        }
        if ("which" in event) {
          const requests = [...state.requests()].filter(
            (one) => one.state === (event.does === "send" || event.does === "release" ? "reserved" : "sent"),
          );
          const request = requests[event.which % Math.max(1, requests.length)];
          if (request !== undefined) {
            const { id, bound } = request;
            if (event.does === "send") state.apply(line({ step: "sent", id } as const));
            if (event.does === "release") state.apply(line({ step: "released", id, why: "" } as const));
            if (event.does === "lose")
              state.apply(
                line({ step: "unsettled", id, why: "", cost: bound.cost, tokens: bound.tokens } as const),
              );
            if (event.does === "settle") {
              const used = {
                cost: Math.floor(bound.cost * event.share),
                tokens: Math.floor(bound.tokens * event.share),
              };
              const usage = { input: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 0 };
              state.apply(line({ step: "settled", id, status: 200, usage, ...used } as const));
            }
          }
        }
        for (const grant of seen.values()) {
          const { spent, reserved, spentTokens, reservedTokens } = positionOf(grant);
          expect(spent + reserved).toBeLessThanOrEqual(grant.limitCost ?? Number.POSITIVE_INFINITY);
          expect(spentTokens + reservedTokens).toBeLessThanOrEqual(
            grant.limitTokens ?? Number.POSITIVE_INFINITY,
          );
        }
      }
      // What was added up step by step is what the requests add up to.
      const all = [...state.requests()].filter((one) => one.state !== "released");
      const { spent, reserved, requests } = state.sums({});
      expect(spent + reserved).toBe(all.reduce((sum, { cost }) => sum + cost, 0));
      expect(requests).toBe(all.length);
    }),
    { numRuns: 300 },
  );
});
