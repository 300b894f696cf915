/** What the operator itself runs, checks above all, heeds the stop latch without waiting for any controller. */
import type { QualityStop } from "../../../pkg/quality/open.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { stopIsUnsettled } from "../../../pkg/session/file-stop-latch.ts";
import { workspaceMark } from "../../../pkg/system/workspace-mark.ts";

export interface StopFollower extends QualityStop {
  /** Looks now. */
  look(): void;
}

/** How often it looks by itself, in milliseconds. */
const lookPeriodMs = 200;

/** Follows the latch at `stopLatch` until `signal`. */
export function followStop(stopLatch: string, clock: Clock, signal: AbortSignal): StopFollower {
  const listeners: { engaged: () => void; released: () => void }[] = [];
  const inForce = (): boolean => stopIsUnsettled(stopLatch);
  let before = inForce();
  const look = (): void => {
    const now = inForce();
    if (now === before) return;
    before = now;
    for (const { engaged, released } of listeners) (now ? engaged : released)();
  };
  const follow = async (): Promise<never> => {
    for (;;) {
      await clock.sleep(lookPeriodMs, signal);
      look();
    }
  };
  follow().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return {
    marks: workspaceMark(stopLatch),
    inForce,
    follow: (engaged, released) => void listeners.push({ engaged, released }),
    look,
  };
}
