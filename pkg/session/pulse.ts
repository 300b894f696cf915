/** How regularly a session's host shows that it lives, judged by the observer's own clock. */

/**
 * `Late`: no heartbeat for more than 60 s. `Lost`: for more than 120 s; the host may live, but nothing can be expected
 * of it any more.
 */
export type Pulse = "Regular" | "Late" | "Lost";

/** A longer silence than this is late or lost, in milliseconds. */
export const LATE_MS = 60_000;
export const LOST_MS = 120_000;

/**
 * One look adds no more than this to a silence, in milliseconds. Whoever looked away for longer did not run himself, or
 * the machine slept: then hosts could not beat either, and that time says nothing about them.
 */
const lookMsMax = 15_000;

interface Seen {
  beat: string;
  /** When it was last looked at, and how much silence there was by then. */
  atMs: number;
  silentMs: number;
}

/**
 * The pulses that one observer knows. Nothing is read off a heartbeat but whether it is another one than before: the
 * wall clock that it was written by may jump, and an observer that has just begun knows of no silence.
 */
export class Pulses {
  readonly #seen = new Map<string, Seen>();

  /**
   * Takes in the newest heartbeat of a session.
   *
   * @param beat - differs from heartbeat to heartbeat, and from host to host
   * @param nowMs - of a clock that only grows
   */
  see(session: string, beat: string, nowMs: number): Pulse {
    const before = this.#seen.get(session);
    const silentMs = before?.beat === beat ? before.silentMs + Math.min(nowMs - before.atMs, lookMsMax) : 0;
    this.#seen.set(session, { beat, atMs: nowMs, silentMs });
    if (silentMs > LOST_MS) return "Lost";
    return silentMs > LATE_MS ? "Late" : "Regular";
  }

  forget(session: string): void {
    this.#seen.delete(session);
  }
}
