/** What the operator itself runs, checks above all, heeds the stop latch without waiting for any controller. */
import type { QualityStop } from "../../../pkg/quality/open.ts";
import { stopIsUnsettled } from "../../../pkg/system/latch-files.ts";
import type { LatchWatch } from "../../../pkg/system/latch-watch.ts";
import { workspaceMark } from "../../../pkg/system/workspace-mark.ts";

export interface StopFollower extends QualityStop {
  /** Looks now. */
  look(): void;
}

/** Follows the latch of `watch` until `signal`. */
export function followStop(watch: LatchWatch, signal: AbortSignal): StopFollower {
  const listeners: { engaged: () => void; released: () => void }[] = [];
  const inForce = (): boolean => stopIsUnsettled(watch.path);
  let before = inForce();
  const look = (): void => {
    const now = inForce();
    if (now === before) return;
    before = now;
    for (const { engaged, released } of listeners) (now ? engaged : released)();
  };
  watch.follow(({ hasChanged }) => {
    if (hasChanged) look();
  }, signal);
  return {
    marks: workspaceMark(watch.path),
    inForce,
    follow: (engaged, released) => void listeners.push({ engaged, released }),
    look,
  };
}
