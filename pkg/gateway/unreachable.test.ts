/** The derivation of docs/money.md, computed with the code that decides. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { basisOf } from "./basis.ts";
import { type Bounds, boundsOf } from "./bound.ts";
import { decide } from "./budgets.ts";
import { wholeLimits } from "./grants.ts";
import type { MessagesRequest } from "./messages-request.ts";
import { NANO_PER_USD } from "./money.ts";
import { type Price, priceOf } from "./prices.ts";
import { NO_USAGE } from "./usage.ts";

const PRICE = priceOf("claude-sonnet-5-5") as Price;
const CONTEXT_MAX = 150_000;
const BYTES_A_TOKEN = 4;
const NEW_BYTES_MAX = 50_000;
const NOW = Date.parse("2026-11-23T12:00:00Z");

/** The bounds of a session's next request: `context` tokens, of which `newBytes` came since its last settled one. */
function nextOf(context: number, newBytes: number): Bounds {
  const cache_control = { type: "ephemeral" };
  const first: MessagesRequest = {
    model: "claude-sonnet-5-5",
    max_tokens: 16_000,
    messages: [{ role: "user", content: "Go on." }],
  };
  const answer = { role: "assistant", content: [{ type: "tool_use", id: "t", name: "read", input: {} }] };
  const result = (text: string) => ({
    role: "user",
    content: [{ type: "tool_result", tool_use_id: "t", content: text, cache_control }],
  });
  const used = { ...NO_USAGE, cacheRead: context - newBytes / BYTES_A_TOKEN, output: 100 };
  const overhead = Buffer.byteLength(JSON.stringify([answer, result("")]));
  const messages = [...first.messages, answer, result("x".repeat(newBytes - overhead))];
  const bases = [basisOf(first, [used])];
  return boundsOf({ ...first, messages }, { price: PRICE, bases, maxOutputTokens: 16_000 });
}

test.each([10_000, 30_000, 50_000])("the page says what is left at most with %i bytes new", (newBytes) => {
  const { inputTokens, least } = nextOf(CONTEXT_MAX, newBytes);
  const page = readFileSync(new URL("../../docs/money.md", import.meta.url), "utf8");
  const row = page.split("\n").find((line) => line.startsWith(`| ${newBytes / 1000} kB`));
  expect(
    row
      ?.split("|")
      .map((cell) => cell.trim())
      .slice(2, 6),
  ).toEqual([
    inputTokens.toLocaleString("en"),
    `${(least.cost / NANO_PER_USD).toFixed(3)} USD`,
    `${(least.cost / NANO_PER_USD / 0.05).toFixed(1)} %`,
    `${(least.cost / NANO_PER_USD / 0.2).toFixed(1)} %`,
  ]);
});

test("with 8 % of 5 USD or 2 % of 20 USD left, each of ten agents can still go on", () => {
  const agent = fc.record({
    context: fc.oneof(fc.constant(CONTEXT_MAX), fc.integer({ min: 20_000, max: CONTEXT_MAX })),
    newBytes: fc.oneof(fc.constant(NEW_BYTES_MAX), fc.integer({ min: 1_000, max: NEW_BYTES_MAX })),
  });
  fc.assert(
    fc.property(fc.constantFrom(5, 20), fc.array(agent, { minLength: 10, maxLength: 10 }), (usd, agents) => {
      const budget = { name: "all", uid: "u", daily: { usd }, timeZone: "UTC", selector: {} };
      const spent = (usd - 0.4) * NANO_PER_USD;
      const position = { spent, reserved: 0, spentTokens: 0, reservedTokens: 0 };
      const grants = wholeLimits([budget], NOW, () => undefined).map((grant) => ({ grant, position }));
      for (const { context, newBytes } of agents)
        expect(decide(nextOf(context, newBytes), grants, NOW).is).toBe("granted");
    }),
    { numRuns: 30 },
  );
});
