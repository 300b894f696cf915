/** For tests: a clock by which a starved machine is as fast as any. */
import type { Clock } from "../../runtime/clock.ts";
import { systemClock } from "../system.ts";

/** What is waited for passes, and nothing else: no limit is over because what it is for got no processor. */
export function waitedTime(): Clock {
  let waitedMs = 0;
  return {
    ...systemClock,
    elapsed: () => waitedMs,
    async sleep(ms, signal) {
      const endMs = waitedMs + ms;
      await systemClock.sleep(ms, signal);
      waitedMs = Math.max(waitedMs, endMs);
    },
  };
}
