import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Price, priceOf } from "./prices.ts";
import { type Ending, type Observer, observe, type Seen, settle, violates } from "./settlement.ts";
import { helloEvents, USAGE } from "./testing/upstream.ts";
import { NO_USAGE } from "./usage.ts";

const PRICE = priceOf("claude-sonnet-5-5") as Price;
const RESERVATION = { cost: 90_000_000, tokens: 20_000, maxTokens: 1_000, price: PRICE };
const NOTHING: Seen = { start: undefined, final: undefined, contextEdited: false };
const USED = { ...NO_USAGE, input: 100, output: 20 };

function stream(...events: object[]): Buffer {
  return Buffer.from(events.map((event) => `event: x\ndata: ${JSON.stringify(event)}\n\n`).join(""));
}

function seenIn(type: string, ...chunks: Buffer[]): Observer {
  const observer = observe(type, "5m");
  for (const chunk of chunks) observer.push(chunk);
  observer.end();
  return observer;
}

function seenInStream(...chunks: Buffer[]): Seen {
  return seenIn("text/event-stream; charset=utf-8", ...chunks).seen;
}

describe("a request is settled", () => {
  const unsettled = { is: "unsettled", cost: RESERVATION.cost, tokens: RESERVATION.tokens };
  test.each<[string, Ending, object]>([
    [
      "with its final usage",
      { is: "answered", status: 200, seen: { ...NOTHING, final: [USED] } },
      { is: "settled", cost: 400_000, tokens: 120 },
    ],
    [
      "with the sum of its iterations",
      { is: "answered", status: 200, seen: { ...NOTHING, final: [USED, USED] } },
      { is: "settled", cost: 800_000, tokens: 240 },
    ],
    [
      "with 0 for a client error",
      { is: "answered", status: 400, seen: NOTHING },
      { is: "settled", status: 400, cost: 0, tokens: 0 },
    ],
    [
      "with 0 for a rate limit",
      { is: "answered", status: 429, seen: NOTHING },
      { is: "settled", cost: 0, tokens: 0 },
    ],
    [
      "with 0 for an overload",
      { is: "answered", status: 529, seen: NOTHING },
      { is: "settled", cost: 0, tokens: 0 },
    ],
    ["with 0 when nothing was sent", { is: "not sent", why: "no connection" }, { is: "released" }],
    [
      "with input and all of max_tokens when the end is missing",
      { is: "answered", status: 200, seen: { ...NOTHING, start: [{ ...USED, output: 1 }] } },
      { is: "unsettled", cost: 100 * 2_000 + 1_000 * 10_000, tokens: 1_100 },
    ],
    [
      "whole when nothing is known of the input either",
      { is: "answered", status: 200, seen: NOTHING },
      unsettled,
    ],
    ["whole when no status came", { is: "no status", why: "reset" }, unsettled],
    ["whole for a status that says nothing", { is: "answered", status: 302, seen: NOTHING }, unsettled],
    [
      "whole for a success that is none of the API's, whatever it says",
      { is: "answered", status: 202, seen: { ...NOTHING, final: [USED] } },
      unsettled,
    ],
  ])("%s", (_name, ending, want) => {
    expect(settle(ending, RESERVATION)).toMatchObject(want);
  });
});

test("whatever its samplings used, a request is charged each kind of token of each of them", () => {
  const count = fc.nat({ max: 50_000 });
  const usage = fc.record({
    ...{ input: count, cacheRead: count, cacheWrite5m: count, cacheWrite1h: count, output: count },
  });
  fc.assert(
    fc.property(fc.array(usage, { minLength: 1, maxLength: 4 }), (final) => {
      const ending: Ending = { is: "answered", status: 200, seen: { ...NOTHING, final } };
      let [cost, tokens] = [0, 0];
      for (const { input, cacheRead, cacheWrite5m, cacheWrite1h, output } of final) {
        cost += 2_000 * input + 100 * cacheRead + 2_500 * cacheWrite5m + 4_000 * cacheWrite1h;
        cost += 10_000 * output;
        tokens += input + cacheRead + cacheWrite5m + cacheWrite1h + output;
      }
      expect(settle(ending, RESERVATION)).toMatchObject({ is: "settled", cost, tokens });
    }),
  );
});

test("more than the bound is a violation, in dollars or in tokens; a release never is", () => {
  const used = (cost: number, tokens: number) => ({ is: "unsettled", why: "", cost, tokens }) as const;
  expect(violates(used(RESERVATION.cost, RESERVATION.tokens), RESERVATION)).toBe(false);
  expect(violates(used(RESERVATION.cost + 1, 1), RESERVATION)).toBe(true);
  expect(violates(used(1, RESERVATION.tokens + 1), RESERVATION)).toBe(true);
  expect(violates({ is: "released", why: "" }, RESERVATION)).toBe(false);
});

describe("the usage of a stream", () => {
  test("is seen however the bytes are cut", () => {
    const bytes = stream(...helloEvents());
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        expect(seenInStream(...chunks)).toEqual({
          start: [{ ...USED, output: 1 }],
          final: [USED],
          contextEdited: false,
        });
      }),
    );
  });

  test("is not final before the message says that it stopped", () => {
    const events = helloEvents();
    for (let kept = 0; kept < events.length - 2; kept++) {
      expect(seenInStream(stream(...events.slice(0, kept))).final).toBeUndefined();
    }
    expect(seenInStream(stream(...events.slice(0, -1))).final).toEqual([USED]);
    const running = { type: "message_delta", delta: { stop_reason: null }, usage: { output_tokens: 5 } };
    expect(seenInStream(stream(...events.slice(0, 4), running)).final).toBeUndefined();
  });

  test("counts repeated events once", () => {
    const twice = helloEvents().flatMap((event) => [event, event]);
    expect(seenInStream(stream(...twice)).final).toEqual([USED]);
  });

  test("takes later totals in place of earlier ones, and its iterations in place of both", () => {
    const [start = {}] = helloEvents();
    const delta = (usage: object): object => ({
      type: "message_delta",
      delta: { stop_reason: "end_turn" },
      usage,
    });
    const cached = {
      cache_read_input_tokens: 50,
      cache_creation_input_tokens: 30,
      input_tokens: 3,
      output_tokens: 9,
    };
    const all = [{ input: 3, cacheRead: 50, cacheWrite5m: 30, cacheWrite1h: 0, output: 9 }];
    expect(seenInStream(stream(start, delta({ output_tokens: 4 }), delta(cached))).final).toEqual(all);
    // What a later event does not speak of stays as it was said.
    expect(seenInStream(stream(start, delta(cached), delta({ output_tokens: 9 }))).final).toEqual(all);
    // The API writes null for what an event does not speak of.
    const silent = { output_tokens: 9, cache_read_input_tokens: null, cache_creation_input_tokens: null };
    expect(seenInStream(stream(start, delta(cached), delta(silent))).final).toEqual(all);
    const iterations = [
      USAGE,
      { ...USAGE, cache_creation_input_tokens: 7, cache_creation: { ephemeral_1h_input_tokens: 7 } },
    ];
    expect(seenInStream(stream(start, delta({ output_tokens: 4, iterations }))).final).toEqual([
      USED,
      { ...USED, cacheWrite1h: 7 },
    ]);
  });

  test("is unknown where one of its iterations can't be read: the others alone would be too little", () => {
    const [start = {}] = helloEvents();
    const usage = { output_tokens: 20, iterations: [USAGE, { output_tokens: 20 }] };
    const end = { type: "message_delta", delta: { stop_reason: "end_turn" }, usage };
    expect(seenInStream(stream(start, end)).final).toBeUndefined();
  });

  const running = (usage: object) => ({ type: "message_delta", delta: { stop_reason: null }, usage });
  const [begin = { type: "" }, stop = { type: "" }] = [helloEvents()[0], helloEvents()[5]];
  const ending = helloEvents()[4] ?? { type: "" };
  test.each<[string, Buffer, object | undefined]>([
    [
      "is final at message_stop, where none said why it stopped",
      stream(begin, running({ output_tokens: 5 }), stop),
      { output: 5 },
    ],
    ["is none at a message_stop without counts", stream(begin, stop), undefined],
    [
      "is none where the counts have no output",
      stream(begin, { ...ending, usage: { input_tokens: 3 } }),
      undefined,
    ],
    [
      "is what was said last, also after the message has said why it stopped",
      stream(begin, ending, running({ output_tokens: 25 })),
      { output: 25 },
    ],
    ["is seen in a last line that has no end", stream(begin, ending).subarray(0, -2), {}],
  ])("%s", (_name, bytes, want) => {
    const { final } = seenInStream(bytes);
    expect(final).toEqual(want === undefined ? undefined : [{ ...USED, ...want }]);
  });

  test("is nothing in events that lack what they should have", () => {
    const events = [
      { type: "message_start" },
      { type: "message_delta" },
      { type: "message_start", message: null },
    ];
    const none = {
      type: "message_delta",
      delta: null,
      usage: null,
      context_management: { applied_edits: [] },
    };
    expect(seenInStream(stream(...events, none))).toEqual(NOTHING);
  });

  test("is known to be complete at message_stop", () => {
    expect(seenIn("text/event-stream", stream(...helloEvents().slice(0, -1))).isComplete).toBe(false);
    expect(seenIn("text/event-stream", stream(...helloEvents())).isComplete).toBe(true);
  });

  test("says when the API cleared a part of the context", () => {
    const delta = {
      ...helloEvents()[4],
      context_management: { applied_edits: [{ type: "clear_tool_uses_20250919" }] },
    };
    expect(seenInStream(stream(delta)).contextEdited).toBe(true);
  });

  test("is nothing for what is no message at all", () => {
    expect(seenInStream(Buffer.from('data: {"type":"message_start"\n\ndata: []\n\n: ping\n\n'))).toEqual(
      NOTHING,
    );
  });
});

describe("the usage of an answer in one piece", () => {
  test("is the one in its body", () => {
    const body = Buffer.from(JSON.stringify({ type: "message", usage: USAGE }));
    const observer = seenIn("application/json", body.subarray(0, 9), body.subarray(9));
    expect(observer.seen.final).toEqual([USED]);
    // Only a stream says so before its end.
    expect(observer.isComplete).toBe(false);
  });

  test("says that the API cleared a part of the context, too", () => {
    for (const edits of [[], [{ type: "clear_tool_uses_20250919" }]]) {
      const body = Buffer.from(
        JSON.stringify({ usage: USAGE, context_management: { applied_edits: edits } }),
      );
      expect(seenIn("application/json", body).seen.contextEdited).toBe(edits.length > 0);
    }
  });

  test.each<[string, object, object]>([
    ["without iterations is itself", { iterations: [] }, {}],
    ["of a prompt that came from a cache alone is that", { input_tokens: 0 }, { input: 0 }],
    [
      "has what is not broken down of its cache writes beside what is",
      {
        cache_creation_input_tokens: 10,
        cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 3 },
      },
      { cacheWrite5m: 4 + 3, cacheWrite1h: 3 },
    ],
    [
      "has nothing for what is no count",
      { cache_read_input_tokens: -5, cache_creation_input_tokens: "many", cache_creation: null },
      {},
    ],
    ["has nothing for what is no whole count", { cache_read_input_tokens: 1.5 }, {}],
  ])("%s", (_name, more, want) => {
    const body = Buffer.from(JSON.stringify({ usage: { ...USAGE, ...more } }));
    expect(seenIn("application/json", body).seen.final).toEqual([{ ...USED, ...want }]);
  });

  test("is unknown when the body was cut, or has none", () => {
    for (const body of [
      '{"usage":{"input_tok',
      '{"type":"message"}',
      "<html>",
      '{"usage":{"input_tokens":"many"}}',
      '{"usage":{"input_tokens":-1}}',
      '{"usage":{"input_tokens":1.5}}',
      '{"usage":null}',
    ]) {
      expect(seenIn("application/json", Buffer.from(body)).seen).toEqual(NOTHING);
    }
  });
});

test("cache writes that are not broken down cost the longest lifetime that the request allows", () => {
  const observer = observe("application/json", "1h");
  observer.push(Buffer.from(JSON.stringify({ usage: { ...USAGE, cache_creation_input_tokens: 10 } })));
  observer.end();
  expect(observer.seen.final).toEqual([{ ...USED, cacheWrite1h: 10 }]);
});
