import type { Clock } from "../runtime/clock.ts";
import type { SandboxAvailability } from "../sandbox/available.ts";

/**
 * How long a sandbox that was found is relied on, in milliseconds. Where it is gone since, a command fails in its place:
 * none ever runs without it.
 */
const reliedOnMs = 600_000;

/** Whether sessions have a sandbox: tried for all of them together, since one trial takes as long as a tool's call. */
export class SandboxTrial {
  readonly #attempt: () => Promise<SandboxAvailability>;
  readonly #clock: Clock;
  #last: { result: Promise<SandboxAvailability>; begunMs: number } | undefined;

  constructor(attempt: () => Promise<SandboxAvailability>, clock: Clock) {
    this.#attempt = attempt;
    this.#clock = clock;
  }

  /** What the last trial found, or one that is under way; a new one after ten minutes and after one that found none. */
  result(): Promise<SandboxAvailability> {
    const nowMs = this.#clock.elapsed();
    if (this.#last !== undefined && nowMs - this.#last.begunMs < reliedOnMs) return this.#last.result;
    const trial = { result: this.#attempt(), begunMs: nowMs };
    this.#last = trial;
    const forget = (): void => {
      if (this.#last === trial) this.#last = undefined;
    };
    trial.result.then(({ available }) => available || forget(), forget);
    return trial.result;
  }
}
