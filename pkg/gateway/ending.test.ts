import { expect, test } from "vitest";
import { endingSteps } from "./ending.ts";
import { type Price, priceOf } from "./prices.ts";
import type { Ending } from "./settlement.ts";

const request = {
  model: "claude-sonnet-5-5",
  max_tokens: 1_000,
  messages: [{ role: "user", content: "Hi" }],
};
const price = priceOf("claude-sonnet-5-5") as Price;
const reservation = { cost: 90_000_000, tokens: 20_000, maxTokens: 1_000, price };
const used = { input: 100, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 20 };
const NOTHING = { start: undefined, final: undefined, contextEdited: false };
const upstreamId = "req_1";
const answered = (more: object, status = 200): Ending => ({
  ...{ is: "answered", status, upstreamId },
  seen: { ...NOTHING, ...more },
});
const basis = { messages: 1, promptTokens: 100, outputTokens: 20 };

test.each<{ name: string; ending: Ending; want: object[]; says: boolean }>([
  {
    name: "its usage, and what it says about the next request",
    ending: answered({ final: [used] }),
    want: [{ step: "settled", status: 200, upstreamId, usage: used, cost: 400_000, tokens: 120, basis }],
    says: true,
  },
  {
    name: "its usage alone where the API had cleared something",
    ending: answered({ final: [used], contextEdited: true }),
    want: [{ step: "settled", cost: 400_000 }],
    says: false,
  },
  {
    name: "nothing where it was refused: that measures no prompt",
    ending: answered({}, 400),
    want: [{ step: "settled", status: 400, upstreamId, cost: 0, tokens: 0 }],
    says: false,
  },
  {
    name: "the most that it can have cost where it was cut, under the upstream's name of it",
    ending: answered({ start: [used] }),
    want: [{ step: "unsettled", upstreamId, cost: 100 * 2_000 + 1_000 * 10_000, tokens: 1_100 }],
    says: false,
  },
  {
    name: "all that was reserved where no status came",
    ending: { is: "no status", why: "reset" },
    want: [{ step: "unsettled", upstreamId: undefined, why: "reset", cost: 90_000_000, tokens: 20_000 }],
    says: false,
  },
  {
    name: "nothing where it was not sent",
    ending: { is: "not sent", why: "no connection" },
    want: [{ step: "released", why: "no connection" }],
    says: false,
  },
  {
    name: "its usage above the bound, and that no bound can be trusted",
    ending: answered({ final: [{ ...used, output: 9_000 }] }),
    want: [
      { step: "settled", cost: 90_200_000 },
      { step: "violated", cost: 90_200_000, bound: 90_000_000 },
    ],
    says: true,
  },
])("the ledger says of a request that ended $name", ({ ending, want, says }) => {
  const steps = endingSteps("a", { request, ending, reservation });
  expect(steps).toMatchObject(want.map((one) => ({ id: "a", ...one })));
  expect(steps.length).toBe(want.length);
  expect("basis" in (steps[0] ?? {})).toBe(says);
});
