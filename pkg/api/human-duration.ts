const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * A duration as kubectl writes ages: the two largest units while they matter (`95s`, `3m20s`, `5h7m`, `4d2h`, `2y30d`).
 *
 * @param ms - milliseconds; negative ones, from clocks that differ, are shown as 0s above -2 s, else as `<invalid>`
 * @see HumanDuration of k8s.io/apimachinery/pkg/util/duration
 */
export function humanDuration(ms: number): string {
  if (ms <= -2 * second) return "<invalid>";
  if (ms < 0) return "0s";
  if (ms < 2 * minute) return `${Math.floor(ms / second)}s`;
  if (ms < 10 * minute) return two(ms, minute, "m", second, "s");
  if (ms < 3 * hour) return `${Math.floor(ms / minute)}m`;
  if (ms < 8 * hour) return two(ms, hour, "h", minute, "m");
  if (ms < 2 * day) return `${Math.floor(ms / hour)}h`;
  if (ms < 8 * day) return two(ms, day, "d", hour, "h");
  if (ms < 2 * 365 * day) return `${Math.floor(ms / day)}d`;
  if (ms < 8 * 365 * day) return two(ms, 365 * day, "y", day, "d");
  return `${Math.floor(ms / (365 * day))}y`;
}

function two(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)}${largeName}${rest === 0 ? "" : `${rest}${smallName}`}`;
}

/** The time since `timestamp` (RFC 3339), or `<unknown>` without one. */
export function ageOf(timestamp: string | undefined, now: number): string {
  const at = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(at) ? "<unknown>" : humanDuration(now - at);
}
