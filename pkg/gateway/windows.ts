/** The days and months that limits hold for, in a Budget's time zone. */
import { zoneOffset } from "../encoding/zone-offset.ts";

const hourMs = 3_600_000;

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
  const local = new Date(atMs + offset(timeZone, atMs));
  const year = local.getUTCFullYear();
  const month = local.getUTCMonth();
  const day = local.getUTCDate();
  const first = (later: number): number =>
    beginning(
      period === "daily" ? Date.UTC(year, month, day + later) : Date.UTC(year, month + later),
      timeZone,
    );
  const startMs = first(0);
  // The clocks are to be set back across this midnight: it is the day before until it comes a second time.
  if (startMs > atMs) return windowAt(period, startMs - 1, timeZone);
  return {
    period,
    name: local.toISOString().slice(0, period === "daily" ? "2026-11-23".length : "2026-11".length),
    startMs,
    endMs: first(1),
  };
}

/**
 * From when on no clock of the zone shows a time before `localMs`, wall time as if it were UTC's. Clocks that are set
 * forward over it begin where they are set.
 */
function beginning(localMs: number, timeZone: string): number {
  // Zones are 12 hours behind UTC to 14 ahead of it, and change their clocks once in a few weeks at most.
  let beforeMs = localMs - 15 * hourMs;
  let afterMs = localMs + 13 * hourMs;
  const old = offset(timeZone, beforeMs);
  const now = offset(timeZone, afterMs);
  if (old === now) return localMs - now;
  while (afterMs - beforeMs > 1) {
    const middleMs = Math.floor((beforeMs + afterMs) / 2);
    if (offset(timeZone, middleMs) === old) beforeMs = middleMs;
    else afterMs = middleMs;
  }
  return afterMs + now < localMs ? localMs - now : Math.min(afterMs, localMs - old);
}

function offset(timeZone: string, atMs: number): number {
  const offsetMs = zoneOffset(timeZone, atMs);
  if (offsetMs !== undefined) return offsetMs;
  throw new RangeError(`timeZone must be an IANA name such as Europe/Berlin, not "${timeZone}".`);
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
  const local = new Date(atMs + offset(timeZone, atMs)).toISOString();
  const { startMs, endMs } = windowAt("daily", atMs - 1, timeZone);
  const moment = {
    ...{ time: local.slice("2026-11-23T".length, "2026-11-23T14:00".length) },
    ...{ date: local.slice(0, "2026-11-23".length), startMs, endMs },
  };
  if (said.size >= saidMax) said.clear();
  said.set(key, moment);
  return moment;
}
