import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Bases, type Basis, basisOf } from "./basis.ts";
import { type Bounds, boundsOf } from "./bound.ts";
import { type Block, type MessagesRequest, withoutCaching } from "./messages-request.ts";
import { type Price, priceOf } from "./prices.ts";
import { NO_USAGE } from "./usage.ts";

const PRICE = priceOf("claude-sonnet-5-5") as Price;
const ASK: MessagesRequest = {
  model: "claude-sonnet-5-5",
  max_tokens: 4_000,
  system: "Be brief.",
  tools: [{ name: "bash", input_schema: {} }],
  messages: [{ role: "user", content: "Hello" }],
};
const USED = { ...NO_USAGE, input: 40, cacheRead: 500, cacheWrite5m: 60, output: 100 };
const ANSWER = { role: "assistant", content: [{ type: "text", text: "Yes?" }] };
const NEXT = { role: "user", content: "Grüße" };
const GO_ON: MessagesRequest = { ...ASK, messages: [...ASK.messages, ANSWER, NEXT] };

function bounds(
  request: MessagesRequest,
  bases: readonly Basis[] = [],
  maxOutputTokens = 16_000,
  price = PRICE,
): Bounds {
  return boundsOf(request, { price, bases, maxOutputTokens });
}

function bytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

describe("the prompt is bounded by", () => {
  const alone = bytes(GO_ON) + 10_000;
  const continued = 600 + bytes([ANSWER, NEXT]) + 2_000;
  const basis = basisOf(ASK, [USED]);
  const cached = (request: MessagesRequest): MessagesRequest => ({
    ...request,
    messages: request.messages.map((message) => ({
      ...message,
      content: [{ type: "text", text: "Hello", cache_control: { type: "ephemeral" } }],
    })),
  });

  test.each<[string, MessagesRequest, readonly Basis[], number]>([
    ["its bytes where nothing was settled", GO_ON, [], alone],
    ["the settled request it goes on from", GO_ON, [basis], continued],
    ["that request when it is asked again", ASK, [basis], 600 + bytes([]) + 2_000],
    [
      "the latest of those it goes on from",
      GO_ON,
      [basisOf(GO_ON, [{ ...USED, input: 0 }]), basis],
      560 + 2 + 2_000,
    ],
    [
      "an earlier one when the latest is another conversation",
      GO_ON,
      [basisOf({ ...ASK, system: "x" }, [USED]), basis],
      continued,
    ],
    [
      "its bytes when the model is another",
      GO_ON,
      [basisOf({ ...ASK, model: "claude-opus-5-5" }, [USED])],
      alone,
    ],
    ["its bytes when the tools are others", GO_ON, [basisOf({ ...ASK, tools: [] }, [USED])], alone],
    [
      "its bytes when the system prompt is another",
      GO_ON,
      [basisOf({ ...ASK, system: "Be long." }, [USED])],
      alone,
    ],
    [
      "its bytes when thinking is switched on",
      { ...GO_ON, thinking: { type: "adaptive" } },
      [basis],
      bytes({ ...GO_ON, thinking: { type: "adaptive" } }) + 10_000,
    ],
    [
      "its bytes when history was rewritten",
      GO_ON,
      [basisOf({ ...ASK, messages: [{ role: "user", content: "Bye" }] }, [USED])],
      alone,
    ],
    ["its bytes when history was cut", ASK, [basisOf(GO_ON, [USED])], bytes(ASK) + 10_000],
  ])("%s", (_name, request, bases, want) => {
    expect(bounds(request, bases).inputTokens).toBe(want);
  });

  test.each<[string, unknown]>([
    ["tool_choice", { type: "any" }],
    ["output_config", { format: { type: "json_schema", schema: {} } }],
    ["context_management", { edits: [{ type: "clear_thinking_20251015" }] }],
    ["a field that nobody knows", true],
  ])("its bytes when %s is another, of which prompts are made", (field, value) => {
    const request = { ...GO_ON, [field]: value };
    expect(bounds(request, [basis]).inputTokens).toBe(bytes(request) + 10_000);
  });

  test("the settled request, whatever is wanted of the answer", () => {
    const wanted = {
      max_tokens: 1,
      stream: true,
      metadata: { user_id: "u" },
      temperature: 0,
      stop_sequences: ["."],
    };
    expect(bounds({ ...GO_ON, ...wanted }, [basis]).inputTokens).toBe(continued);
  });

  test("the settled request, wherever its cache breakpoints were", () => {
    const settled = basisOf(cached(ASK), [USED]);
    const plain = { ...ASK, messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }] };
    expect(bounds(plain, [settled]).inputTokens).toBe(600 + 2 + 2_000);
  });

  test.each([
    { type: "thinking", thinking: "Hm", signature: "s" },
    { type: "redacted_thinking", data: "s" },
  ])("what it answered as well where that comes back as $type, which is shortened", (block) => {
    const thought = { role: "assistant", content: [block] };
    const request = { ...ASK, messages: [...ASK.messages, thought, NEXT] };
    expect(bounds(request, [basis]).inputTokens).toBe(600 + 100 + bytes([thought, NEXT]) + 2_000);
  });

  const image = (size: number): Block => ({
    type: "image",
    source: { type: "base64", data: "A".repeat(size) },
  });

  test("a settled request whose messages it goes on from, each of them, and by its bytes otherwise", () => {
    const said = fc.constantFrom("a", "b").map((content) => ({ role: "user", content }));
    const talk = fc.array(said, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(talk, talk, (before, messages) => {
        const goesOn = before.every(({ content }, at) => content === messages[at]?.content);
        const found = bounds({ ...ASK, messages }, [basisOf({ ...ASK, messages: before }, [USED])]);
        const rest = 600 + bytes(messages.slice(before.length)) + 2_000;
        expect(found.inputTokens).toBe(goesOn ? rest : bytes({ ...ASK, messages }) + 10_000);
      }),
    );
  });

  test("what came since the settled request, whatever images that had", () => {
    const ask = { ...ASK, messages: [{ role: "user", content: [image(9_000), image(9)] }] };
    const goOn = (...more: Block[]): MessagesRequest => ({
      ...ask,
      messages: [...ask.messages, ANSWER, { role: "user", content: [...more] }],
    });
    const bounded = (...more: Block[]) => bounds(goOn(...more), [basisOf(ask, [USED])]).inputTokens;
    const after = bytes([ANSWER, { role: "user", content: [] }]);
    expect(bounded()).toBe(600 + after + 2_000);
    expect(bounded(image(7_000))).toBe(600 + after + bytes(image(0)) + 5_000 + 2_000);
  });

  test("5,000 tokens an image whatever its bytes", () => {
    const ask = (...content: Block[]): MessagesRequest => ({ ...ASK, messages: [{ role: "user", content }] });
    const empty = bounds(ask(image(0))).inputTokens;
    expect(bounds(ask(image(3_000_000))).inputTokens).toBe(empty);
    expect(empty).toBe(bytes(ask(image(0))) + 5_000 + 10_000);
    const nested = { type: "tool_result", tool_use_id: "t", content: [image(9), image(9)] };
    const emptied = { type: "tool_result", tool_use_id: "t", content: [image(0), image(0)] };
    expect(bounds(ask(nested)).inputTokens).toBe(bytes(ask(emptied)) + 2 * 5_000 + 10_000);
  });
});

test("sixteen conversations of one session, as a model with sub-agents holds, are each bounded by what they have used", () => {
  const bases = new Bases();
  const talk = (at: number): MessagesRequest => ({ ...ASK, system: `Agent ${at}.` });
  for (let at = 0; at < 16; at += 1) bases.add("s", basisOf(talk(at), [USED]));
  // Another session's take nothing from it.
  bases.add("t", basisOf(ASK, [USED]));
  for (let at = 0; at < 16; at += 1)
    expect(bounds(talk(at), bases.of("s")).inputTokens, `conversation ${at}`).toBe(600 + bytes([]) + 2_000);
});

describe("the answer is bounded by", () => {
  test.each([
    ["what the request asks for", 4_000, 16_000, 4_000],
    ["what the session may use", 128_000, 16_000, 16_000],
    ["what the request asks for, never raised", 10, 16_000, 10],
  ])("%s", (_name, asked, allowed, want) => {
    const { wantedOutput } = bounds({ ...ASK, max_tokens: asked }, [], allowed);
    expect(wantedOutput).toBe(want);
  });

  test("what is left, not beneath 2,000, nor beneath the thinking budget, nor above what was asked", () => {
    expect(bounds(ASK).leastOutput).toBe(2_000);
    expect(bounds({ ...ASK, max_tokens: 50 }).leastOutput).toBe(50);
    expect(bounds({ ...ASK, thinking: { type: "enabled", budget_tokens: 3_000 } }).leastOutput).toBe(3_001);
  });
});

describe("a prompt costs what its longest-lived cache does, beside shorter-lived ones, asked for by", () => {
  const cache_control = { type: "ephemeral", ttl: "1h" } as const;
  const text = { type: "text", text: "Hello" };
  const short = { type: "ephemeral" } as const;
  const cached: MessagesRequest = {
    ...ASK,
    system: [{ ...text, cache_control: short }],
    tools: [{ name: "bash", input_schema: {}, cache_control: short }],
  };
  const result = { type: "tool_result", tool_use_id: "t" };
  test.each<[string, Partial<MessagesRequest>]>([
    ["the request", { cache_control }],
    ["its system prompt", { system: [{ ...text, cache_control }] }],
    ["a tool", { tools: [{ name: "bash", input_schema: {}, cache_control }] }],
    ["a message", { messages: [{ role: "user", content: [{ ...text, cache_control }] }] }],
    [
      "what a tool gave",
      { messages: [{ role: "user", content: [{ ...result, content: [{ ...text, cache_control }] }] }] },
    ],
  ])("%s", (_name, part) => {
    const { inputTokens, cost } = bounds({ ...cached, ...part }).with(1);
    expect(cost).toBe(inputTokens * 4_000 + 10_000);
  });
});

test("where only the price of caching is in the way, the same is asked for without it", () => {
  const cache_control = { type: "ephemeral" } as const;
  const text = { type: "text", text: "Hello", cache_control };
  const request: MessagesRequest = {
    ...ASK,
    cache_control,
    system: [text],
    tools: [{ name: "bash", input_schema: {}, cache_control }],
    messages: [
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: [text], cache_control }] },
    ],
  };
  const cached = bounds(request);
  const plain = bounds(withoutCaching(request));
  expect(JSON.stringify(withoutCaching(request))).not.toContain("cache_control");
  expect(withoutCaching(request).system).toEqual([{ type: "text", text: "Hello" }]);

  const room = (cost: number) => ({ cost, tokens: 1e9 });
  const least = cached.with(2_000);
  expect(cached.within(room(least.cost))).toMatchObject({ caching: true, outputTokens: 2_000 });
  const found = cached.within(room(least.cost - 1));
  expect(found).toMatchObject({ caching: false, inputTokens: cached.inputTokens });
  expect(found?.cost).toBeLessThan(least.cost);
  expect(cached.least.cost).toBe(cached.inputTokens * 2_000 + 2_000 * 10_000);
  expect(cached.within(room(cached.least.cost - 1))).toBeUndefined();
  // Never dearer than the very request that is sent then.
  expect(plain.least.cost).toBeLessThanOrEqual(cached.least.cost);
});

test("what is found within a room fits in it and is the largest that does", () => {
  const arbitrary = {
    cost: fc.integer({ min: 0, max: 200_000_000 }),
    tokens: fc.integer({ min: 0, max: 30_000 }),
    asked: fc.integer({ min: 1, max: 20_000 }),
    // Of what is admitted at a price.
    factor: fc.constantFrom(1, 2, 6),
  };
  fc.assert(
    fc.property(fc.record(arbitrary), ({ cost, tokens, asked, factor }) => {
      const all = bounds({ ...ASK, max_tokens: asked }, [], 16_000, { ...PRICE, factor });
      const found = all.within({ cost, tokens });
      const fits = (output: number): boolean =>
        all.with(output).cost <= cost && all.with(output).tokens <= tokens;
      if (found === undefined) return !fits(all.leastOutput);
      const { outputTokens } = found;
      return fits(outputTokens) && (outputTokens === all.wantedOutput || !fits(outputTokens + 1));
    }),
  );
});
