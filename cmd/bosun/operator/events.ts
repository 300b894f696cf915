/** Events are kept for a day, so that the log does not grow without end. */
import type { Event } from "../../../pkg/api/event.ts";
import { keyOf } from "../../../pkg/api/meta.ts";
import { isNotFound } from "../../../pkg/api/status-error.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import type { Logger } from "../../../pkg/runtime/logger.ts";

/** How long an Event is kept after it was last seen, and how often old ones are looked for, in milliseconds. */
const keptMs = 24 * 3600_000;
const periodMs = 600_000;

/** Deletes Events that were last seen more than a day ago, every ten minutes. Abort the answer to end it. */
export function pruneEvents(client: Client, clock: Clock, logger: Logger): AbortController {
  const ending = new AbortController();
  void (async () => {
    while (!ending.signal.aborted) {
      try {
        const { items } = await client.list("Event");
        for (const event of items) {
          if (clock.now() - lastSeenMs(event) > keptMs) await remove(event);
        }
        await clock.sleep(periodMs, ending.signal);
      } catch (error) {
        if (ending.signal.aborted) return;
        logger.warn("Old Events could not be deleted", { error });
        await clock.sleep(periodMs, ending.signal).catch(() => undefined); // Ended.
      }
    }
  })();
  return ending;

  async function remove(event: Parameters<typeof keyOf>[0]): Promise<void> {
    try {
      await client.delete("Event", keyOf(event));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** Wall time, in milliseconds. */
function lastSeenMs({ series, lastTimestamp, metadata }: Event): number {
  return Date.parse(series?.lastObservedTime ?? lastTimestamp ?? metadata.creationTimestamp ?? "");
}
