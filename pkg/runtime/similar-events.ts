/** What is said of one object for one reason so often, in other words each time, that it is told as one. */

/** So many different messages within `windowMs` of each other are one Event from then on. */
export const similarMax = 10;
const rememberedMax = 4096;

const prefix = "(combined from similar events): ";

export interface Told {
  /** Events that are told as one have it in common. */
  readonly id: string;
  readonly message: string;
}

interface Similar {
  /** Different messages, the oldest first; never more than `similarMax`. */
  readonly messages: Set<string>;
  lastMs: number;
}

/**
 * Combines similar events as client-go's EventAggregator does.
 *
 * The answer takes what events have in common but their message (source, object, type and reason), the message, and the
 * time in milliseconds, which only grows. It tells the message under an id of its own, or, when `similarMax` different
 * ones have come no more than `windowMs` apart, under the id of all.
 */
export function similarEvents(windowMs: number): (common: string, message: string, nowMs: number) => Told {
  const seen = new Map<string, Similar>();
  return (common, message, nowMs) => {
    const before = seen.get(common);
    const fresh = before === undefined || nowMs - before.lastMs > windowMs;
    const similar = fresh ? { messages: new Set<string>(), lastMs: nowMs } : before;
    similar.messages.add(message);
    similar.lastMs = nowMs;
    seen.delete(common);
    seen.set(common, similar);
    forgetOldest(seen, rememberedMax);
    if (similar.messages.size < similarMax) return { id: JSON.stringify([common, message]), message };
    forgetOldest(similar.messages, similarMax - 1);
    return { id: JSON.stringify([common]), message: `${prefix}${message}` };
  };
}

function forgetOldest(
  entries: { readonly size: number; keys(): IterableIterator<string>; delete(key: string): boolean },
  max: number,
): void {
  if (entries.size <= max) return;
  const oldest = entries.keys().next();
  if (!oldest.done) entries.delete(oldest.value);
}
