import { expect, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { RateLimits, retryAfterSeconds } from "./rate-limits.ts";

function limits() {
  const clock = new TestClock();
  return { clock, limits: new RateLimits({ clock, random: { next: () => 0.5 } }) };
}

test("a 429 pauses its model for as long as it says, and no other", async () => {
  const { clock, limits: rate } = limits();
  rate.sending("a")(429, 30);
  expect(rate.delayMs("a")).toBe(30_000);
  expect(rate.delayMs("b")).toBe(0);
  await clock.advance(10_000);
  expect(rate.delayMs("a")).toBe(20_000);
});

test("after the pause one request probes, and its success lets all go on", async () => {
  const { clock, limits: rate } = limits();
  rate.sending("a")(429, 1);
  await clock.advance(1_000);
  expect(rate.delayMs("a")).toBe(0);
  const probed = rate.sending("a");
  expect(rate.delayMs("a")).toBe(Number.POSITIVE_INFINITY);
  probed(200);
  expect(rate.delayMs("a")).toBe(0);
  rate.sending("a");
  expect(rate.delayMs("a")).toBe(0);
});

test("a success of a request from before the pause does not end it", () => {
  const { limits: rate } = limits();
  const early = rate.sending("a");
  rate.sending("a")(429, 30);
  early(200);
  expect(rate.delayMs("a")).toBe(30_000);
});

test("a probe without a status lets the next one probe", async () => {
  const { clock, limits: rate } = limits();
  rate.sending("a")(529, 1);
  await clock.advance(1_000);
  rate.sending("a")(undefined);
  expect(rate.delayMs("a")).toBe(0);
  rate.sending("a");
  expect(rate.delayMs("a")).toBe(Number.POSITIVE_INFINITY);
});

test("without a retry-after the pause doubles with each refusal, up to a minute", async () => {
  const { clock, limits: rate } = limits();
  const delays: number[] = [];
  for (let i = 0; i < 8; i++) {
    rate.sending("a")(529);
    delays.push(rate.delayMs("a"));
    await clock.advance(rate.delayMs("a"));
  }
  expect(delays).toEqual([750, 1_500, 3_000, 6_000, 12_000, 24_000, 45_000, 45_000]);
});

test("refusals that arrive together never shorten the pause", () => {
  const { limits: rate } = limits();
  const [one, two] = [rate.sending("a"), rate.sending("a")];
  one(429, 60);
  two(429, 1);
  expect(rate.delayMs("a")).toBe(60_000);
});

test.each([
  ["5", 5],
  ["0.5", 0.5],
  ["-1", 0],
  ["Mon, 23 Nov 2026 12:00:10 GMT", 10],
  ["Mon, 23 Nov 2026 11:00:00 GMT", 0],
  ["soon", undefined],
  [undefined, undefined],
])("retry-after %s is %s seconds", (header, want) => {
  expect(retryAfterSeconds(header, new TestClock().now())).toBe(want);
});
