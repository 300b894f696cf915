import { expect, test } from "vitest";
import { type Refusal, refusalOf } from "./usage-limit.ts";

const now = Date.parse("2026-11-23T12:00:00Z");
const at = (seconds: number): string => String(now / 1000 + seconds);
const HOUR = 3_600;

const ordinary = (waitSeconds?: number): Refusal => ({
  waitMs: waitSeconds === undefined ? undefined : waitSeconds * 1000,
  usedUp: undefined,
});
const usedUp = (waitSeconds: number, what: "account" | "model" = "account"): Refusal => ({
  waitMs: waitSeconds * 1000,
  usedUp: what,
});

const rows: readonly { name: string; headers: Record<string, string>; status?: number; want: Refusal }[] = [
  { name: "nothing said", headers: {}, want: ordinary() },
  { name: "retry-after of seconds", headers: { "retry-after": "5" }, want: ordinary(5) },
  { name: "retry-after of half a second", headers: { "retry-after": "0.5" }, want: ordinary(0.5) },
  { name: "retry-after below zero", headers: { "retry-after": "-1" }, want: ordinary(0) },
  {
    name: "retry-after as a date",
    headers: { "retry-after": "Mon, 23 Nov 2026 12:00:10 GMT" },
    want: ordinary(10),
  },
  { name: "nonsense", headers: { "retry-after": "soon" }, want: ordinary() },
  {
    name: "retry-after of an hour",
    headers: { "retry-after": "3600" },
    want: usedUp(HOUR, "model"),
  },
  {
    name: "an overload of an hour, which is no usage",
    status: 529,
    headers: { "retry-after": "3600" },
    want: ordinary(HOUR),
  },
  {
    name: "five hours used up",
    headers: {
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-reset": at(2 * HOUR),
      "anthropic-ratelimit-unified-5h-status": "rejected",
      "anthropic-ratelimit-unified-5h-reset": at(2 * HOUR),
      "anthropic-ratelimit-unified-7d-status": "allowed",
      "anthropic-ratelimit-unified-7d-reset": at(90 * HOUR),
    },
    want: usedUp(2 * HOUR),
  },
  {
    name: "five hours and the week used up: both have to open",
    headers: {
      "anthropic-ratelimit-unified-5h-status": "rejected",
      "anthropic-ratelimit-unified-5h-reset": at(60),
      "anthropic-ratelimit-unified-7d-status": "rejected",
      "anthropic-ratelimit-unified-7d-reset": at(50 * HOUR),
    },
    want: usedUp(50 * HOUR),
  },
  {
    name: "used up for hours, and to be asked again in a minute: it is used up then",
    headers: {
      "retry-after": "60",
      "anthropic-ratelimit-unified-5h-status": "rejected",
      "anthropic-ratelimit-unified-5h-reset": at(2 * HOUR),
    },
    want: usedUp(2 * HOUR),
  },
  {
    name: "used up for a minute, and to be asked again in hours",
    headers: {
      "retry-after": String(2 * HOUR),
      "anthropic-ratelimit-unified-5h-status": "rejected",
      "anthropic-ratelimit-unified-5h-reset": at(60),
    },
    want: usedUp(2 * HOUR),
  },
  {
    name: "the week of one family of models",
    headers: {
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-reset": at(HOUR),
      "anthropic-ratelimit-unified-5h-status": "allowed",
      "anthropic-ratelimit-unified-5h-reset": at(HOUR),
      "anthropic-ratelimit-unified-7d_opus-status": "rejected",
      "anthropic-ratelimit-unified-7d_opus-reset": at(20 * HOUR),
    },
    want: usedUp(20 * HOUR, "model"),
  },
  {
    name: "a rate's wait, and five hours that are nearly used up",
    headers: {
      "anthropic-ratelimit-unified-status": "allowed_warning",
      "anthropic-ratelimit-unified-5h-status": "allowed_warning",
      "anthropic-ratelimit-unified-5h-reset": at(2 * HOUR),
      "retry-after": "7",
    },
    want: ordinary(7),
  },
  {
    name: "an answer that has only the sum",
    headers: {
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-reset": "2026-11-23T14:00:00Z",
      "anthropic-ratelimit-unified-representative-claim": "five_hour",
    },
    want: usedUp(2 * HOUR),
  },
  {
    name: "an answer that has only the sum, of one model",
    headers: {
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-reset": at(HOUR),
      "anthropic-ratelimit-unified-representative-claim": "seven_day_opus",
    },
    want: usedUp(HOUR, "model"),
  },
  {
    name: "rejected, but open again by now",
    headers: {
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-reset": at(-5),
    },
    want: ordinary(),
  },
  {
    name: "rejected without a reset",
    headers: { "anthropic-ratelimit-unified-status": "rejected", "retry-after": "7200" },
    want: usedUp(2 * HOUR, "model"),
  },
  {
    name: "a rate that is full again in a minute",
    headers: {
      "anthropic-ratelimit-requests-remaining": "12",
      "anthropic-ratelimit-requests-reset": "2026-11-23T15:00:00Z",
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": "2026-11-23T12:01:00Z",
    },
    want: ordinary(60),
  },
  {
    name: "two rates with nothing left: both have to be full again",
    headers: {
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": "2026-11-23T12:00:20Z",
      "anthropic-ratelimit-tokens-remaining": "0",
      "anthropic-ratelimit-tokens-reset": "2026-11-23T12:00:45Z",
      "anthropic-ratelimit-output-tokens-remaining": "0",
      "anthropic-ratelimit-output-tokens-reset": "2026-11-23T12:00:10Z",
    },
    want: ordinary(45),
  },
  {
    name: "a rate with nothing left that was full again before the answer was sent",
    headers: {
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": "2026-11-23T11:59:50Z",
    },
    want: ordinary(),
  },
  {
    name: "five hours used up, and a retry-after that is longer still",
    headers: {
      "anthropic-ratelimit-unified-5h-status": "rejected",
      "anthropic-ratelimit-unified-5h-reset": at(HOUR),
      "retry-after": String(2 * HOUR),
    },
    want: usedUp(2 * HOUR),
  },
  {
    name: "a reset of the subscription's alone",
    headers: { "anthropic-ratelimit-unified-reset": at(HOUR) },
    want: usedUp(HOUR),
  },
  {
    name: "a reset of the subscription's that was allowed, and a rate's retry-after",
    headers: {
      "anthropic-ratelimit-unified-status": "allowed",
      "anthropic-ratelimit-unified-reset": at(HOUR),
      "retry-after": "7",
    },
    want: ordinary(7),
  },
  {
    name: "a reset of the subscription's that was allowed, and nothing else",
    headers: {
      "anthropic-ratelimit-unified-status": "allowed",
      "anthropic-ratelimit-unified-reset": at(HOUR),
    },
    want: ordinary(),
  },
  {
    name: "a rate's reset that doesn't say what remains",
    headers: { "anthropic-ratelimit-requests-reset": "2026-11-23T12:00:30Z" },
    want: ordinary(30),
  },
  {
    name: "a clock here that is two hours ahead, by the answer's date",
    headers: {
      date: "Mon, 23 Nov 2026 10:00:00 GMT",
      "anthropic-ratelimit-unified-5h-status": "rejected",
      "anthropic-ratelimit-unified-5h-reset": String(now / 1000),
    },
    want: usedUp(2 * HOUR),
  },
];

test.each(rows)("a refusal with $name", ({ headers, status = 429, want }) => {
  expect(refusalOf(headers, status, now)).toEqual(want);
});
