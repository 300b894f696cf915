import { expect, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { type KeptUsageLimit, RateLimits, USAGE_HOLD_MS_MAX } from "./rate-limits.ts";
import type { Refusal } from "./usage-limit.ts";

function limits(kept: readonly KeptUsageLimit[] = [], clock = new TestClock()) {
  let known: readonly KeptUsageLimit[] = kept;
  const usageChanged = (changed: readonly KeptUsageLimit[]): void => {
    known = changed;
  };
  const rate = new RateLimits({ clock, random: { next: () => 0.5 }, kept, usageChanged });
  return { clock, limits: rate, kept: () => known };
}

const after = (seconds: number): Refusal => ({ waitMs: seconds * 1000, usedUp: undefined });
const usedUp = (hours: number, usedUp: "account" | "model" = "account"): Refusal => ({
  waitMs: hours * HOUR,
  usedUp,
});
const HOUR = 3_600_000;

test("a 429 pauses its model for as long as it says, and no other", async () => {
  const { clock, limits: rate } = limits();
  rate.sending("a")(429, after(30));
  expect(rate.delayMs("a")).toBe(30_000);
  expect(rate.delayMs("b")).toBe(0);
  await clock.advance(10_000);
  expect(rate.delayMs("a")).toBe(20_000);
});

test("after the pause one request probes, and its success lets all go on", async () => {
  const { clock, limits: rate } = limits();
  rate.sending("a")(429, after(1));
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
  rate.sending("a")(429, after(30));
  early(200);
  expect(rate.delayMs("a")).toBe(30_000);
});

test("a probe without a status lets the next one probe", async () => {
  const { clock, limits: rate } = limits();
  rate.sending("a")(529, after(1));
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
  one(429, after(60));
  two(429, after(1));
  expect(rate.delayMs("a")).toBe(60_000);
});

test("a used up account holds every model until it opens again, then one request probes for all", async () => {
  const { clock, limits: rate } = limits();
  const sent = rate.sending("a");
  expect(rate.usageLimits()).toEqual([]);
  sent(429, usedUp(2));
  expect(rate.usageLimits()).toEqual([{ untilMs: clock.now() + 2 * HOUR, leftMs: 2 * HOUR }]);
  expect(rate.usageLimit("b")).toEqual({ untilMs: clock.now() + 2 * HOUR, leftMs: 2 * HOUR });
  expect(rate.delayMs("b")).toBe(2 * HOUR);
  await clock.advance(2 * HOUR);
  expect(rate.usageLimit("b")).toBeUndefined();
  expect(rate.delayMs("a")).toBe(0);
  const probed = rate.sending("b");
  expect(rate.delayMs("a")).toBe(Number.POSITIVE_INFINITY);
  // Who asks while it is probed stands in line.
  expect(rate.usageLimit("a")).toBeUndefined();
  probed(200);
  expect([rate.delayMs("a"), rate.delayMs("b")]).toEqual([0, 0]);
});

test("a probe that is refused again holds all until the new reset: nothing latches, nothing is tried twice", async () => {
  const { clock, limits: rate } = limits();
  rate.sending("a")(429, usedUp(1));
  await clock.advance(HOUR);
  rate.sending("a")(429, usedUp(3));
  expect(rate.usageLimit("b")).toEqual({ untilMs: clock.now() + 3 * HOUR, leftMs: 3 * HOUR });
});

test("a used up model leaves the others alone", () => {
  const { clock, limits: rate } = limits();
  rate.sending("a")(429, usedUp(2, "model"));
  expect(rate.usageLimits()).toEqual([{ model: "a", untilMs: clock.now() + 2 * HOUR, leftMs: 2 * HOUR }]);
  expect([rate.delayMs("a"), rate.delayMs("b")]).toEqual([2 * HOUR, 0]);
});

test("ordinary refusals of requests that were under way neither end nor shorten a usage limit", () => {
  const { clock, limits: rate } = limits();
  const [one, two, three] = [rate.sending("a"), rate.sending("a"), rate.sending("a")];
  one(429, usedUp(2, "model"));
  two(429, after(1));
  three(200);
  expect(rate.usageLimit("a")).toEqual({ model: "a", untilMs: clock.now() + 2 * HOUR, leftMs: 2 * HOUR });
});

test("a limit of a week is asked about every six hours", async () => {
  const { clock, limits: rate } = limits();
  rate.sending("a")(429, usedUp(100));
  expect(rate.usageLimits()).toEqual([{ untilMs: clock.now() + 100 * HOUR, leftMs: USAGE_HOLD_MS_MAX }]);
  await clock.advance(HOUR);
  // What is told of the end stays; how long nothing is asked does not depend on it.
  expect(rate.usageLimits()).toEqual([
    { untilMs: clock.now() + 99 * HOUR, leftMs: USAGE_HOLD_MS_MAX - HOUR },
  ]);
  await clock.advance(USAGE_HOLD_MS_MAX - HOUR);
  expect(rate.delayMs("a")).toBe(0);
});

test("a usage limit outlives a restart, and no longer than it was where the clock was set back", async () => {
  const before = limits();
  before.limits.sending("a")(429, usedUp(2));
  await before.clock.advance(HOUR / 2);
  const kept = before.kept();
  expect(limits(kept, before.clock).limits.delayMs("b")).toBe(1.5 * HOUR);
  const [one] = kept;
  const early = { sinceMs: (one?.sinceMs ?? 0) + 9 * HOUR, untilMs: (one?.untilMs ?? 0) + 9 * HOUR };
  expect(limits([early], before.clock).limits.delayMs("b")).toBe(2 * HOUR);
  await before.clock.advance(2 * HOUR);
  expect(limits(kept, before.clock).limits.delayMs("b")).toBe(0);
  before.limits.sending("a")(200);
  expect(before.kept()).toEqual([]);
});

test("a usage limit is over when its time has come, though the machine slept until then", async () => {
  class SleepingClock extends TestClock {
    sleptMs = 0;
    override now(): number {
      return super.now() + this.sleptMs;
    }
  }
  const clock = new SleepingClock();
  const { limits: rate } = limits([], clock);
  rate.sending("a")(429, usedUp(5));
  await clock.advance(HOUR);
  clock.sleptMs = 3 * HOUR;
  expect(rate.usageLimits()).toEqual([{ untilMs: clock.now() + HOUR, leftMs: HOUR }]);
  clock.sleptMs = 4 * HOUR;
  expect(rate.usageLimits()).toEqual([]);
  expect(rate.delayMs("b")).toBe(0);
});
