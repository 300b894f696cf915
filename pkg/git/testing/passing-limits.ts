/** For tests: what git is given passes when a test says so, and processes take the time that the machine gives them. */
import { onTestFinished, vi } from "vitest";

/** Stops the time that limits are counted in until the test is over; gives back what lets so many milliseconds of it pass. */
export function passingLimits(): (ms: number) => Promise<void> {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  return async (ms) => void (await vi.advanceTimersByTimeAsync(ms));
}
