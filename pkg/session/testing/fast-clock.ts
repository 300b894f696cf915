import type { Clock } from "../../runtime/clock.ts";
import { systemClock } from "../../system/system.ts";

/** How much faster than real time it goes: a minute in three seconds. */
const SPEED = 20;

const startMs = systemClock.now();

/** The real clock, sped up, so that tests see minutes of real processes in seconds. */
export const fastClock: Clock = {
  now: () => startMs + (systemClock.now() - startMs) * SPEED,
  elapsed: () => systemClock.elapsed() * SPEED,
  sleep: (ms, signal) => systemClock.sleep(ms / SPEED, signal),
};
