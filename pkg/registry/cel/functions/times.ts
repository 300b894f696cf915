import { isZoneAtHand, zoneOffset } from "../../../encoding/zone-offset.ts";
import { duration, int, string, timestamp } from "../check/type.ts";
import type { CelDuration, Timestamp } from "../values/time.ts";
import { CelError, type Value, type Work } from "../values/value.ts";
import { type Library, member, type Overload } from "./overload.ts";

/** The parts of timestamps and durations. A timestamp's are in UTC, or in the zone given: `Europe/Rome`, `-08:00`. */
export const times: Library = {
  getFullYear: parts("timestamp_to_year", (date) => date.getUTCFullYear()),
  getMonth: parts("timestamp_to_month", (date) => date.getUTCMonth()),
  getDayOfYear: parts("timestamp_to_day_of_year", dayOfYear),
  getDayOfMonth: parts("timestamp_to_day_of_month", (date) => date.getUTCDate() - 1),
  getDate: parts("timestamp_to_day_of_month_1_based", (date) => date.getUTCDate()),
  getDayOfWeek: parts("timestamp_to_day_of_week", (date) => date.getUTCDay()),
  getHours: [...parts("timestamp_to_hours", (date) => date.getUTCHours()), span("hours", 3_600_000_000_000n)],
  getMinutes: [
    ...parts("timestamp_to_minutes", (date) => date.getUTCMinutes()),
    span("minutes", 60_000_000_000n),
  ],
  getSeconds: [
    ...parts("timestamp_to_seconds", (date) => date.getUTCSeconds()),
    span("seconds", 1_000_000_000n),
  ],
  getMilliseconds: [
    ...parts("timestamp_to_milliseconds", (_, time) => Math.floor(time.nanos / 1_000_000)),
    span("milliseconds", 1_000_000n),
  ],
};

type Part = (date: Date, time: Timestamp) => number;

function parts(id: string, part: Part): readonly Overload[] {
  return [
    member(id, [timestamp], int, ([time]) => partIn(time as Timestamp, 0, part)),
    member(`${id}_with_tz`, [timestamp, string], int, ([time, zone], work) => {
      const offset = offsetOf(zone as string, time as Timestamp, work);
      return offset instanceof CelError ? offset : partIn(time as Timestamp, offset, part);
    }),
  ];
}

function partIn(time: Timestamp, offsetSeconds: number, part: Part): Value {
  return BigInt(part(new Date((time.seconds + offsetSeconds) * 1000), time));
}

function dayOfYear(date: Date): number {
  const start = new Date(date);
  start.setUTCMonth(0, 1);
  return Math.round((date.getTime() - start.getTime()) / 86_400_000);
}

function span(unit: string, nanos: bigint): Overload {
  return member(`duration_to_${unit}`, [duration], int, ([value]) => (value as CelDuration).nanos / nanos);
}

/** Seconds east of UTC. */
function offsetOf(zone: string, time: Timestamp, work: Work): number | CelError {
  if (!zone.includes(":")) return offsetOfNamed(zone, time, work);
  const match = /^([-+]?\d+):(\d+)$/.exec(zone);
  if (match === null) return new CelError(`strconv.Atoi: parsing ${JSON.stringify(zone)}: invalid syntax`);
  const [, hours = "0", minutes = "0"] = match;
  if (Number(minutes) > 59) return new CelError(`timezone offset minutes out of range [0, 59]: ${zone}`);
  return (Number(hours) * 60 + (zone.startsWith("-") ? -1 : 1) * Number(minutes)) * 60;
}

function offsetOfNamed(zone: string, time: Timestamp, work: Work): number | CelError {
  if (zone === "") return 0;
  if (!isZoneAtHand(zone)) work.toil(makingToil);
  const offsetMs = zoneOffset(zone, time.seconds * 1000);
  if (offsetMs === undefined) return new CelError(`unknown time zone ${zone}`);
  work.toil(readingToil);
  return offsetMs / 1000;
}

/** Of reading a clock in a zone, and of making it. */
const [readingToil, makingToil] = [500, 20_000];
