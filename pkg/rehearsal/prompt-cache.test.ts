import fc from "fast-check";
import { expect, test } from "vitest";
import type { MessagesRequest, RequestMessage } from "./messages.ts";
import { PromptCache, promptTokens } from "./prompt-cache.ts";

function clockAt(time: { ms: number }) {
  return { now: () => time.ms, elapsed: () => time.ms, sleep: async () => {} };
}

function request(texts: readonly string[], ttl?: "5m" | "1h"): MessagesRequest {
  const messages = texts.map((text, index): RequestMessage => {
    const cache =
      index === texts.length - 1 && ttl ? { cache_control: { type: "ephemeral" as const, ttl } } : {};
    return { role: index % 2 === 0 ? "user" : "assistant", content: [{ type: "text", text, ...cache }] };
  });
  return { model: "claude-sonnet-5-5", max_tokens: 100, messages };
}

const long = "long ".repeat(2000);

test("a growing conversation pays for each part once at the full price", () => {
  const cache = new PromptCache(clockAt({ ms: 0 }));
  const first = cache.charge(request([long], "5m"));
  const second = cache.charge(request([long, "answer", "more"], "5m"));
  expect(first.cacheWrite5m).toBe(promptTokens(request([long])));
  expect(second.cacheRead).toBe(first.cacheWrite5m);
  expect(second.cacheWrite5m).toBe(promptTokens(request([long, "answer", "more"])) - first.cacheWrite5m);
});

test.each([
  ["5m", 5 * 60_000],
  ["1h", 60 * 60_000],
] as const)("what was cached for %s is forgotten after that", (ttl, lifetimeMs) => {
  const time = { ms: 0 };
  const cache = new PromptCache(clockAt(time));
  cache.charge(request([long], ttl));
  time.ms = lifetimeMs - 1;
  expect(cache.charge(request([long], ttl)).cacheRead).toBeGreaterThan(0);
  time.ms += lifetimeMs;
  expect(cache.charge(request([long], ttl)).cacheRead).toBe(0);
});

test("a short prompt is not cached", () => {
  const cache = new PromptCache(clockAt({ ms: 0 }));
  expect(cache.charge(request(["short"], "5m"))).toMatchObject({ cacheWrite5m: 0, cacheRead: 0 });
});

test("however a prompt is charged, the parts add up to its size, which is below its bytes", () => {
  const cache = new PromptCache(clockAt({ ms: 0 }));
  const texts = fc.array(fc.oneof(fc.string({ minLength: 1 }), fc.constant(long)), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(texts, fc.constantFrom(undefined, "5m" as const, "1h" as const), (said, ttl) => {
      const asked = request(said, ttl);
      const { input, cacheRead, cacheWrite5m, cacheWrite1h } = cache.charge(asked);
      expect(input + cacheRead + cacheWrite5m + cacheWrite1h).toBe(promptTokens(asked));
      expect(promptTokens(asked)).toBeLessThan(Buffer.byteLength(JSON.stringify(asked)));
    }),
  );
});
