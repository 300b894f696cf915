import { expect, test } from "vitest";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { backoffMs, waitOf } from "./backoff.ts";

const now = Date.UTC(2026, 0, 5, 12);

test("waits double from ten seconds to an hour, and chance takes up to half of each", () => {
  const longest = [1, 2, 3, 4, 9, 10, 1000].map((failures) =>
    backoffMs(failures, { next: () => 1 - 2 ** -40 }),
  );
  expect(longest).toEqual([10_000, 20_000, 40_000, 80_000, 2_560_000, 3_600_000, 3_600_000]);
  const shortest = [1, 2, 1000].map((failures) => backoffMs(failures, { next: () => 0 }));
  expect(shortest).toEqual([5_000, 10_000, 1_800_000]);
});

test.each<[string, { failures?: number; nextStartTime?: string }, number | "TooLong"]>([
  ["who did not fail waits for nothing", {}, 0],
  ["a wait that is over is none", { failures: 3, nextStartTime: timestamp(now - 5_000) }, 0],
  ["what is left is waited for", { failures: 3, nextStartTime: timestamp(now + 30_000) }, 30_000],
  ["the longest wait is no mistake", { failures: 3, nextStartTime: timestamp(now + 40_000) }, 40_000],
  [
    "a clock set back by a day makes nobody wait for a day",
    { failures: 3, nextStartTime: timestamp(now + 86_400_000) },
    "TooLong",
  ],
  [
    "a clock set back by a minute is seen too",
    { failures: 3, nextStartTime: timestamp(now + 90_000) },
    "TooLong",
  ],
])("%s", (_name, status, want) => {
  expect(waitOf(status, now)).toBe(want);
});
