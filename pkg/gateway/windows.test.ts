import fc from "fast-check";
import { DateTime } from "luxon";
import { expect, test } from "vitest";
import { clockTime, windowAt } from "./windows.ts";

const HOUR = 3_600_000;

test.each([
  ["daily", "2026-11-23T12:00:00Z", "UTC", "2026-11-23", "2026-11-23T00:00:00Z", 24],
  ["daily", "2026-11-23T23:30:00Z", "Europe/Berlin", "2026-11-24", "2026-11-23T23:00:00Z", 24],
  ["daily", "2026-03-29T10:00:00Z", "Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23],
  ["daily", "2026-10-25T10:00:00Z", "Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25],
  ["daily", "2026-11-01T05:30:00Z", "America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", 25],
  // Midnight does not exist there on that day: the day begins at one o'clock.
  ["daily", "2026-03-29T02:00:00Z", "Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z", 23],
  // Midnight comes twice there on that day: it begins with the first.
  ["daily", "2026-11-01T04:30:00Z", "America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25],
  // There the clocks went back at one minute past midnight: the day before ended an hour later.
  ["daily", "2010-11-07T02:30:30Z", "America/St_Johns", "2010-11-06", "2010-11-06T02:30:00Z", 25],
  ["daily", "2010-11-07T03:00:00Z", "America/St_Johns", "2010-11-06", "2010-11-06T02:30:00Z", 25],
  // A day that was left out, when the zone went over to the other side of the date line.
  ["daily", "2011-12-30T09:59:59Z", "Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", 24],
  ["daily", "2011-12-30T10:00:00Z", "Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24],
  ["monthly", "2026-11-30T23:30:00Z", "Europe/Berlin", "2026-12", "2026-11-30T23:00:00Z", 31 * 24],
  ["monthly", "2026-03-15T00:00:00Z", "Europe/Berlin", "2026-03", "2026-02-28T23:00:00Z", 31 * 24 - 1],
  ["monthly", "2028-02-29T00:00:00Z", "UTC", "2028-02", "2028-02-01T00:00:00Z", 29 * 24],
] as const)("the %s window at %s in %s is %s", (period, at, timeZone, name, start, hours) => {
  const window = windowAt(period, Date.parse(at), timeZone);
  expect(window).toMatchObject({ period, name, startMs: Date.parse(start) });
  expect((window.endMs - window.startMs) / HOUR).toBe(hours);
});

test("windows follow each other without gap or overlap, over every change of the clocks", () => {
  for (const timeZone of ["UTC", "Europe/Berlin", "America/New_York", "Asia/Beirut", "Australia/Lord_Howe"]) {
    let atMs = Date.parse("2026-01-01T00:00:00Z");
    for (let day = 0; day < 400; day++) {
      const { endMs } = windowAt("daily", atMs, timeZone);
      expect(windowAt("daily", endMs - 1, timeZone).endMs).toBe(endMs);
      expect(windowAt("daily", endMs, timeZone).startMs).toBe(endMs);
      atMs = endMs;
    }
  }
});

test("windows are those of a calendar library, in every zone", () => {
  const anywhere = fc.constantFrom("UTC", ...Intl.supportedValuesOf("timeZone"));
  const anytime = fc.date({ min: new Date("2026-01-01"), max: new Date("2037-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(anywhere, anytime, fc.constantFrom("daily", "monthly"), (timeZone, at, period) => {
      const [unit, format] =
        period === "daily" ? (["day", "yyyy-MM-dd"] as const) : (["month", "yyyy-MM"] as const);
      const start = DateTime.fromJSDate(at, { zone: timeZone }).startOf(unit);
      expect(windowAt(period, at.getTime(), timeZone)).toEqual({
        period,
        name: start.toFormat(format),
        startMs: firstOf(start),
        endMs: firstOf(start.plus({ [unit]: 1 }).startOf(unit)),
      });
    }),
    { numRuns: 500 },
  );
});

/** A midnight that comes twice is either one to the library. */
function firstOf(midnight: DateTime): number {
  return Math.min(...midnight.getPossibleOffsets().map((at) => at.toMillis()));
}

test("a time zone that nobody knows is refused", () => {
  expect(() => windowAt("daily", 0, "Mars/Olympus")).toThrow(/IANA/);
});

test("people read the end of a day as a time, and a later one with its date", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");
  expect(clockTime(now + HOUR, now, "Europe/Berlin")).toBe("14:00");
  expect(clockTime(windowAt("daily", now, "Europe/Berlin").endMs, now, "Europe/Berlin")).toBe("00:00");
  expect(clockTime(windowAt("monthly", now, "Europe/Berlin").endMs, now, "Europe/Berlin")).toBe(
    "2026-12-01 00:00",
  );
  expect(clockTime(now + 24 * HOUR, now, "Europe/Berlin")).toBe("2026-11-24 13:00");
  // The same moment, for people elsewhere.
  expect(clockTime(now + 24 * HOUR, now, "Asia/Kolkata")).toBe("2026-11-24 17:30");
  expect(clockTime(now + 24 * HOUR, now, "Pacific/Kiritimati")).toBe("2026-11-25 02:00");
});
