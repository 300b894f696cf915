/**
 * How far the clocks of a time zone are ahead of UTC at `atMs`, in milliseconds; behind it, less than 0. UTC itself asks
 * nobody: the first question about another zone takes 8 MB of the process for good, most of them Node's own data.
 *
 * @param zone - an IANA name, in any case
 * @returns undefined when this machine knows no such zone
 */
export function zoneOffset(zone: string, atMs: number): number | undefined {
  if (zone === "UTC") return 0;
  const clock = clockOf(zone);
  if (clock === undefined) return undefined;
  const found = new Map(clock.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const number = (type: Intl.DateTimeFormatPartTypes): number => Number(found.get(type));
  const local = new Date(0);
  const year = number("year");
  local.setUTCFullYear(found.get("era") === "BC" ? 1 - year : year, number("month") - 1, number("day"));
  local.setUTCHours(number("hour"), number("minute"), number("second"));
  return local.getTime() - Math.floor(atMs / 1000) * 1000;
}

/** Whether this machine knows the zone. What an API server takes may be another machine's list. */
export function isZone(zone: string): boolean {
  return zone === "UTC" || clockOf(zone) !== undefined;
}

/** Whether the zone's clock is at hand: the first question about a zone takes forty times as long as the next. */
export function isZoneAtHand(zone: string): boolean {
  return zone === "UTC" || clocks.has(zone);
}

const clocks = new Map<string, Intl.DateTimeFormat>();
/** There are some 600 zones, but upper and lower case are the same to Intl. */
const maxClocks = 1000;

function clockOf(zone: string): Intl.DateTimeFormat | undefined {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  try {
    const clock = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    if (clocks.size >= maxClocks) clocks.clear();
    clocks.set(zone, clock);
    return clock;
  } catch {
    // Intl knows no such zone.
    return undefined;
  }
}
