import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wholeLimits, windowOf } from "./grants.ts";
import type { BudgetPolicy } from "./money.ts";
import type { Window } from "./windows.ts";

/** The windows of one Budget, looked at in order: `at` in `zone`. */
function windowsOf(looks: readonly { at: string; zone: string }[]): Window[] {
  let newest: Window | undefined;
  return looks.map(({ at, zone }) => {
    newest = windowOf(budgetIn(zone), "daily", { atMs: Date.parse(at), newest });
    return newest;
  });
}

function budgetIn(timeZone: string): BudgetPolicy {
  return { name: "all", uid: "u", daily: { usd: 5 }, timeZone, selector: {} };
}

function spans(windows: readonly Window[]): string[] {
  const short = (ms: number): string => new Date(ms).toISOString().slice(8, 16);
  return windows.map(({ name, startMs, endMs }) => `${name} ${short(startMs)} to ${short(endMs)}`);
}

describe("a Budget's windows follow each other", () => {
  test.each([
    {
      name: "a zone further east has its day only when the old one is over, from its own midnight",
      looks: [
        { at: "2026-11-23T20:00Z", zone: "UTC" },
        { at: "2026-11-23T23:00Z", zone: "Europe/Berlin" },
        { at: "2026-11-24T00:00Z", zone: "Europe/Berlin" },
        { at: "2026-11-24T23:00Z", zone: "Europe/Berlin" },
      ],
      want: [
        "2026-11-23 23T00:00 to 24T00:00",
        "2026-11-23 23T00:00 to 24T00:00",
        "2026-11-24 23T23:00 to 24T23:00",
        "2026-11-25 24T23:00 to 25T23:00",
      ],
    },
    {
      name: "a zone further west lets the old day go on until its own midnight",
      looks: [
        { at: "2026-11-23T20:00Z", zone: "UTC" },
        { at: "2026-11-24T00:00Z", zone: "America/New_York" },
        { at: "2026-11-24T04:59Z", zone: "America/New_York" },
        { at: "2026-11-24T05:00Z", zone: "America/New_York" },
      ],
      want: [
        "2026-11-23 23T00:00 to 24T00:00",
        "2026-11-23 23T00:00 to 24T05:00",
        "2026-11-23 23T00:00 to 24T05:00",
        "2026-11-24 24T05:00 to 25T05:00",
      ],
    },
    {
      name: "a change there and back changes nothing",
      looks: [
        { at: "2026-11-23T20:00Z", zone: "UTC" },
        { at: "2026-11-23T23:30Z", zone: "Asia/Tokyo" },
        { at: "2026-11-23T23:40Z", zone: "UTC" },
        { at: "2026-11-24T00:00Z", zone: "UTC" },
      ],
      want: [
        "2026-11-23 23T00:00 to 24T00:00",
        "2026-11-23 23T00:00 to 24T00:00",
        "2026-11-23 23T00:00 to 24T00:00",
        "2026-11-24 24T00:00 to 25T00:00",
      ],
    },
    {
      name: "days of 23 and 25 hours are days",
      looks: [
        { at: "2026-03-29T10:00Z", zone: "Europe/Berlin" },
        { at: "2026-10-25T10:00Z", zone: "Europe/Berlin" },
      ],
      want: ["2026-03-29 28T23:00 to 29T22:00", "2026-10-25 24T22:00 to 25T23:00"],
    },
  ])("$name", ({ looks, want }) => {
    expect(spans(windowsOf(looks))).toEqual(want);
  });

  test("each under a name of its own, none before the last one is over, whatever zones it goes through", () => {
    const look = fc.record({
      passMs: fc.integer({ min: 0, max: 50 * 3_600_000 }),
      zone: fc.constantFrom(
        "UTC",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
        "Asia/Kolkata",
        "Europe/Berlin",
      ),
      period: fc.constantFrom("daily" as const, "monthly" as const),
    });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 60 }), (looks) => {
        let atMs = Date.parse("2026-03-27T00:00Z");
        const newest: Partial<Record<"daily" | "monthly", Window>> = {};
        for (const { passMs, zone, period } of looks) {
          atMs += passMs;
          const before = newest[period];
          const window = windowOf(budgetIn(zone), period, { atMs, newest: before });
          newest[period] = window;
          expect(window.startMs).toBeLessThanOrEqual(atMs);
          expect(window.endMs).toBeGreaterThan(atMs);
          if (before === undefined || before.name === window.name) continue;
          expect(window.name > before.name).toBe(true);
          expect(atMs).toBeGreaterThanOrEqual(before.endMs);
        }
      }),
    );
  });
});

test("a limit in dollars is that many nano-dollars, or one less where binary fractions are coarse; never one more", () => {
  const limitOf = (usd: number) =>
    wholeLimits([{ ...budgetIn("UTC"), daily: { usd } }], 0, () => undefined)[0]?.limitCost;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e11 }), (microDollars) => {
      expect([0, 1]).toContain(microDollars * 1000 - (limitOf(microDollars / 1e6) ?? 0));
    }),
  );
  for (let cents = 0; cents <= 1000; cents += 1) expect(limitOf(cents / 100)).toBe(cents * 10_000_000);
  expect(limitOf(1e-9 + 9e-10)).toBe(1);
});
