import { describe, expect, test } from "vitest";
import { backoffMs, retryAfterMs, verdictOn } from "./retry.ts";

const middle = { next: () => 0.5 };
const answer = (status: number, headers: Record<string, string> = {}, message = "no") => ({
  status,
  headers: new Headers(headers),
  message,
});

describe("what follows from an error answer", () => {
  test.each([
    [
      "429 is retried after what it says",
      answer(429, { "retry-after": "7" }),
      1,
      { do: "again", afterMs: 7000 },
    ],
    ["529 is retried after a back-off", answer(529), 2, { do: "again", afterMs: 1100 }],
    ["a token that is not known may be renewed", answer(401), 1, { do: "again", afterMs: 550 }],
    ["advice to retry is taken", answer(400, { "x-should-retry": "true" }), 1, { do: "again", afterMs: 550 }],
    [
      "a 5xx that must not be repeated is asked anew",
      answer(502, { "x-should-retry": "false" }),
      1,
      { do: "askAnew" },
    ],
    [
      "402 of the gateway pauses",
      answer(402, { "x-bosun-reason": "BudgetExceeded" }),
      1,
      { do: "pause", reason: "BudgetExceeded" },
    ],
    [
      "402 names the Budgets that have too little left",
      answer(402, { "x-bosun-reason": "BudgetExceeded", "x-bosun-budgets": "team,all" }),
      1,
      { do: "pause", reason: "BudgetExceeded", budgets: ["team", "all"] },
    ],
    [
      "402 says under which limits, be it none",
      answer(402, { "x-bosun-reason": "NoBudget", "x-bosun-limits": "[]" }),
      1,
      { do: "pause", reason: "NoBudget", limits: [] },
    ],
    [
      "402 because a bound was violated says so",
      answer(402, { "x-bosun-reason": "BoundViolated" }),
      1,
      { do: "pause", reason: "BoundViolated" },
    ],
    [
      "402 for want of a Budget says so",
      answer(402, { "x-bosun-reason": "NoBudget" }),
      1,
      { reason: "NoBudget" },
    ],
    [
      "a usage limit pauses, however soon it opens again",
      answer(429, { "x-bosun-reason": "UsageLimited", "x-should-retry": "false", "retry-after": "5" }),
      1,
      { do: "pause", reason: "UsageLimited" },
    ],
    ["408 is retried", answer(408), 1, { do: "again" }],
    ["409 is retried", answer(409), 1, { do: "again" }],
    ["500 is retried", answer(500), 1, { do: "again" }],
    [
      "500 that must not be repeated is asked anew",
      answer(500, { "x-should-retry": "false" }),
      1,
      { do: "askAnew" },
    ],
    [
      "a 402 that gives another reason is a Budget's, whose names stand apart",
      answer(402, { "x-bosun-reason": "Other", "x-bosun-budgets": "team, all" }),
      1,
      { do: "pause", reason: "BudgetExceeded", budgets: ["team", "all"] },
    ],
    [
      "what merely quotes that a prompt is too long is not",
      answer(404, {}, "prompt is too long"),
      1,
      { reason: "RequestRefused" },
    ],
    [
      "nor is a refusal that quotes a low balance",
      answer(403, {}, "credit balance is too low"),
      1,
      { do: "fail" },
    ],
    [
      "nor a used up account but by 429",
      answer(503, { "x-bosun-reason": "UsageLimited" }),
      1,
      { do: "again" },
    ],
    ["400 is refused", answer(400), 1, { do: "fail", reason: "RequestRefused" }],
    ["404 is refused", answer(404), 1, { do: "fail", reason: "RequestRefused" }],
    ["413 is too long", answer(413), 1, { do: "fail", reason: "ContextLimit" }],
    [
      "a prompt too long is too long",
      answer(400, {}, "prompt is too long: 1"),
      1,
      { reason: "ContextLimit" },
    ],
    ["the thirteenth in a row pauses", answer(529), 13, { do: "pause", reason: "UpstreamUnavailable" }],
    ["a key that is refused is tried again", answer(401), 1, { do: "again" }],
    ["402 of the upstream's own, which no Budget ends", answer(402), 1, { do: "again" }],
    [
      "credit that is used up is tried again, as it may be bought",
      answer(400, { "x-should-retry": "false" }, "400: Your credit balance is too low to access the API"),
      12,
      { do: "again" },
    ],
    ["and pauses at last", answer(402), 13, { do: "pause", reason: "UpstreamUnavailable" }],
  ])("%s", (_name, given, failures, want) => {
    expect(verdictOn(given, failures, middle)).toMatchObject(want);
  });
});

test.each([
  ["seconds", { "retry-after": "2" }, 2000],
  [
    "a date, against the server's own clock",
    { "retry-after": "Mon, 23 Nov 2026 00:00:05 GMT", date: "Mon, 23 Nov 2026 00:00:00 GMT" },
    5000,
  ],
  ["no seconds at all", { "retry-after": "0" }, 0],
  ["nonsense", { "retry-after": "soon" }, undefined],
  ["a negative number", { "retry-after": "-1" }, undefined],
  ["nothing", {}, undefined],
])("retry-after as %s", (_name, headers, want) => {
  expect(retryAfterMs(new Headers(headers as Record<string, string>))).toBe(want);
});

test("the back-off grows to a minute and never to nothing", () => {
  expect(backoffMs(1, { next: () => 0 })).toBe(100);
  expect(backoffMs(20, { next: () => 0.999 })).toBeLessThanOrEqual(60_000);
  expect(backoffMs(20, { next: () => 0 })).toBe(6000);
});
