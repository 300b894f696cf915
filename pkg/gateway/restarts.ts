/** When a gateway that keeps ending may be started again. */

/** One that lived for so long was well, in milliseconds: what ends it then is the first failure. */
const steadyMs = 60_000;
/** The wait after the second failure in a row, and the longest, in milliseconds. */
const firstMs = 1_000;
const longestMs = 30_000;

/**
 * Counts starts that came to nothing: the process did not come up, or was gone within a minute. The first is forgiven,
 * so that a gateway that was killed is there again at once; after that the wait is a second, doubled up to half a
 * minute. Times are of a clock that only grows, in milliseconds.
 */
export class Restarts {
  #failures = 0;
  #startedMs: number | undefined;
  #endedMs = Number.NEGATIVE_INFINITY;

  /** How long a start has to wait. */
  waitMs(nowMs: number): number {
    this.#noticeEnd(nowMs);
    if (this.#failures < 2) return 0;
    const wholeMs = Math.min(longestMs, firstMs * 2 ** (this.#failures - 2));
    return Math.max(0, this.#endedMs + wholeMs - nowMs);
  }

  /** A start was tried; undefined when the gateway is there. */
  tried(nowMs: number, error: unknown): void {
    if (error === undefined) {
      this.#startedMs = nowMs;
      return;
    }
    this.#failures += 1;
    this.#endedMs = nowMs;
  }

  /** Whoever asks when a start may be made has found the last gateway gone. */
  #noticeEnd(nowMs: number): void {
    if (this.#startedMs === undefined) return;
    const lived = nowMs - this.#startedMs;
    this.#startedMs = undefined;
    this.#failures = lived >= steadyMs ? 1 : this.#failures + 1;
    this.#endedMs = nowMs;
  }
}
