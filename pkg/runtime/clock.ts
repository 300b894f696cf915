/** Time, chance and identity, handed in: nothing in `controllers/` or `pkg/runtime` finds them by itself. */

/** Time. No other module reads the system clock or starts a timer. */
export interface Clock {
  /** Wall time, milliseconds since the Unix epoch. For timestamps; it may jump. */
  now(): number;
  /** Milliseconds that only grow. For measuring; meaningless after a restart. */
  elapsed(): number;
  /** Resolves after `ms` milliseconds; rejects with `signal.reason` when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Chance. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** Identity. */
export interface Ids {
  /** A fresh RFC 4122 UUID, lower case. */
  uuid(): string;
}

/** RFC 3339 in UTC with seconds, as Kubernetes' `metav1.Time` is written. */
export function timestamp(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (last.second !== second) {
    last.text = `${new Date(ms).toISOString().slice(0, -5)}Z`;
    last.second = second;
  }
  return last.text;
}

/** One moment is said many times. */
const last = { second: Number.NaN, text: "" };
