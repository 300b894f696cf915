/** The days and months that limits hold for, in a Budget's time zone. */
import { DateTime } from "luxon";

export type Period = "daily" | "monthly";

export interface Window {
  period: Period;
  /** `2026-11-23` for a day, `2026-11` for a month. */
  name: string;
  /** Wall time, ms: the first of the window. */
  startMs: number;
  /** Wall time, ms: the first after the window. A day has 23 to 25 hours, as its time zone has it. */
  endMs: number;
}

/**
 * The window that `atMs` lies in.
 *
 * @throws RangeError when `timeZone` is not an IANA name this machine knows
 */
export function windowAt(period: Period, atMs: number, timeZone: string): Window {
  const at = DateTime.fromMillis(atMs, { zone: timeZone });
  if (!at.isValid)
    throw new RangeError(`timeZone must be an IANA name such as Europe/Berlin, not "${timeZone}".`);
  const unit = period === "daily" ? "day" : "month";
  const start = at.startOf(unit);
  return {
    period,
    name: start.toFormat(period === "daily" ? "yyyy-MM-dd" : "yyyy-MM"),
    startMs: start.toMillis(),
    endMs: start
      .plus({ [unit]: 1 })
      .startOf(unit)
      .toMillis(),
  };
}

/**
 * The wall clock at `atMs` in `timeZone`, for people: `23:30`, with the date when that is not today's. The end of today
 * is `00:00`.
 */
export function clockTime(atMs: number, nowMs: number, timeZone: string): string {
  const { time, date, startMs, endMs } = saidOf(atMs, timeZone);
  return startMs <= nowMs && nowMs < endMs ? time : `${date} ${time}`;
}

/** A moment in words, and the day that ends with or after it. */
interface Said {
  time: string;
  date: string;
  startMs: number;
  endMs: number;
}

/** Ends of windows are told again and again, and the calendar is slow. */
const said = new Map<string, Said>();
const saidMax = 100;

function saidOf(atMs: number, timeZone: string): Said {
  const key = `${atMs} ${timeZone}`;
  const known = said.get(key);
  if (known !== undefined) return known;
  const at = DateTime.fromMillis(atMs, { zone: timeZone });
  const day = at.minus(1).startOf("day");
  const next = day.plus({ day: 1 }).startOf("day");
  const moment = {
    ...{ time: at.toFormat("HH:mm"), date: at.toFormat("yyyy-MM-dd") },
    ...{ startMs: day.toMillis(), endMs: next.toMillis() },
  };
  if (said.size >= saidMax) said.clear();
  said.set(key, moment);
  return moment;
}
