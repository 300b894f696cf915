/** Logs of what is tried again every other second: that it fails, at growing intervals that it still does, and that it works again. */
import type { Clock } from "./clock.ts";
import type { Fields, Logger } from "./logger.ts";

export interface Troubles {
  /** A try has failed. */
  failed(error: unknown): void;
  /** A try has succeeded. */
  worked(): void;
}

export interface TroublesOptions {
  logger: Logger;
  clock: Clock;
  /** What is logged when it fails, and when it works again. */
  messages: { failed: string; worked: string };
  fields?: Fields;
}

/** How long nothing is said after what was said last, in milliseconds; doubled each time. */
const silenceMs = 10_000;
const silenceMsMax = 600_000;
/** Without a failure for so long the next one is news, in milliseconds. */
const calmMs = 60_000;

/** What fails and works in turn is told of no more often than what fails all the time. */
export function troubles({ logger, clock, messages, fields = {} }: TroublesOptions): Troubles {
  let failures = 0;
  let sinceMs = 0;
  let failedMs = Number.NEGATIVE_INFINITY;
  let nextMs = 0;
  let waitMs = silenceMs;
  let isSaid = false;
  const seconds = (now: number): number => Math.round((now - sinceMs) / 1000);
  return {
    failed(error) {
      const now = clock.elapsed();
      if (now - failedMs > calmMs) {
        failures = 0;
        sinceMs = now;
        nextMs = now;
        waitMs = silenceMs;
      }
      failures += 1;
      failedMs = now;
      if (now < nextMs) return;
      nextMs = now + waitMs;
      waitMs = Math.min(silenceMsMax, waitMs * 2);
      isSaid = true;
      const so = failures === 1 ? {} : { failures, seconds: seconds(now) };
      logger.warn(messages.failed, { ...fields, ...so, error });
    },
    worked() {
      if (!isSaid) return;
      isSaid = false;
      logger.info(messages.worked, { ...fields, failures, seconds: seconds(clock.elapsed()) });
    },
  };
}
