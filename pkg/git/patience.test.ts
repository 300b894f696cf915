import { expect, onTestFinished, test, vi } from "vitest";
import { patience } from "./patience.ts";

test("a limit counts from what was heard last, and not what passed while this process was suspended", () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  let nowMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  let isLost = false;
  const waiting = patience(1_000, () => {
    isLost = true;
  });
  /** So many tenths of the limit, each of which took so long. */
  const pass = (shares: number, eachMs = 100): void => {
    for (let share = 0; share < shares; share += 1) {
      nowMs += eachMs;
      vi.advanceTimersByTime(100);
    }
  };

  pass(9);
  waiting.heard();
  pass(9);
  expect(isLost).toBe(false);
  // Suspended for an hour in the last tenth: what has arrived meanwhile is read after this timer.
  pass(1, 3_600_000);
  expect(isLost).toBe(false);
  pass(1);
  expect(isLost).toBe(true);

  isLost = false;
  const ended = patience(1_000, () => {
    isLost = true;
  });
  pass(9);
  ended.end();
  pass(10);
  expect(isLost).toBe(false);
});
