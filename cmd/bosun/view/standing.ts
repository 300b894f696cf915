/** What keeps agents from their work for long is told again, at growing intervals: for logs. */
import { humanDuration } from "../../../pkg/api/human-duration.ts";
import { type Warning, type WarningType, type Watched, warningsOf } from "./warnings.ts";

/** After so long it is told again, in milliseconds; then after twice as long as before, up to a day. */
const firstMs = 600_000;
const longestMs = 86_400_000;

/** One type of warning, of however many agents: what ails one of them ails most. */
interface Trouble {
  sinceMs: number;
  nextMs: number;
  waitMs: number;
  /** Keys of warnings. */
  known: Set<string>;
  /** What they said, but for what differs each time. */
  said: Set<string>;
}

/**
 * A function that is shown what stands now, each minute or sooner, and returns a line for what still stands, or says
 * something else than before. What comes up is told by `changesBetween`.
 *
 * @param now - wall time in milliseconds
 */
export function standingTroubles(now: () => number): (seen: Watched) => string[] {
  const troubles = new Map<WarningType, Trouble>();
  return (seen) => {
    const ofAgents = warningsOf(seen).filter(({ agent }) => agent !== undefined);
    const byType = Map.groupBy(ofAgents, ({ type }) => type);
    for (const type of troubles.keys()) if (!byType.has(type)) troubles.delete(type);
    return [...byType].flatMap(([type, warnings]) => {
      const trouble = troubles.get(type) ?? begun(now());
      troubles.set(type, trouble);
      const news = warnings.filter((warning) => saysAnother(warning, trouble));
      return [...news.map(({ line }) => `Warning: ${line}`), ...reminder(warnings, trouble, now())];
    });
  };
}

function begun(nowMs: number): Trouble {
  return {
    sinceMs: nowMs,
    nextMs: nowMs + firstMs,
    waitMs: firstMs,
    known: new Set<string>(),
    said: new Set<string>(),
  };
}

/** Whether one that stood before says what none of its type has said. */
function saysAnother({ key, message }: Warning, { known, said }: Trouble): boolean {
  // Requests have ids, waits have lengths; a status tells a refused key from an overload.
  const gist = message.replace(/\S*\d\S*/g, (word) => (/^[45]\d\d\b/.test(word) ? word : ""));
  const isAnother = known.has(key) && !said.has(gist);
  known.add(key);
  said.add(gist);
  return isAnother;
}

function reminder(warnings: readonly Warning[], trouble: Trouble, nowMs: number): string[] {
  if (nowMs < trouble.nextMs) return [];
  trouble.waitMs = Math.min(2 * trouble.waitMs, longestMs);
  trouble.nextMs = nowMs + trouble.waitMs;
  const agents = warnings.map(({ agent }) => agent).join(", ");
  const lasts = humanDuration(nowMs - trouble.sinceMs);
  return warnings.slice(0, 1).map(({ message }) => `Warning, for ${lasts} now: ${agents}: ${message}`);
}
