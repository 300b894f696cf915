/**
 * The error taxonomy: an error is sorted where it is born, and its class alone decides retry, condition, event
 * and log. (Classes as in Flux' source-controller.)
 */

interface Options {
  cause?: unknown;
}

/** May pass by itself: a lost race, a rate limit, a busy file. Retried with back-off. */
export class TransientError extends Error {
  override readonly name = "TransientError";
  readonly reason: string;
  constructor(reason: string, message: string, options?: Options) {
    super(message, options);
    this.reason = reason;
  }
}

/** Waits for something known, for `seconds`. Comes back then; no warning. */
export class WaitingError extends Error {
  override readonly name = "WaitingError";
  readonly reason: string;
  readonly seconds: number;
  constructor(reason: string, message: string, seconds: number, options?: Options) {
    super(message, options);
    this.reason = reason;
    this.seconds = seconds;
  }
}

/** Cannot pass until the spec changes. Not retried; the object says Stalled. */
export class TerminalError extends Error {
  override readonly name = "TerminalError";
  readonly reason: string;
  constructor(reason: string, message: string, options?: Options) {
    super(message, options);
    this.reason = reason;
  }
}
