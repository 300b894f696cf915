/** What a controller is to the manager: a name, what wakes it, and one idempotent `reconcile`. */
import type { KubeObject, ObjectKey } from "../api/meta.ts";
import type { Kind } from "./client.ts";

/** When to come back. `settled`: when something watched changes (and at the resync). */
export type Next = { readonly after: "change" } | { readonly after: "ms"; readonly ms: number };

export const settled: Next = { after: "change" };
export const inSeconds = (seconds: number): Next => ({ after: "ms", ms: Math.max(0, seconds) * 1000 });

/** Wakes a controller by objects of one kind; without `map` the object's own key is meant. */
export interface WatchSource {
  kind: Kind;
  /**
   * What of an object counts: a change that leaves this equal, as JSON, wakes nobody. Undefined where nothing of it does,
   * so that it may come, be there at the start and go without waking anybody. Absent: every change counts.
   */
  by?: (object: KubeObject) => unknown;
  /** How long the wake-up may wait, in milliseconds, so that many changes are one look; 0 when absent. */
  delayMs?: number;
  /**
   * Which of the controller's objects an event on `object` concerns. Asked twice of one that changed: as it is, and as it
   * was. Reads caches only.
   */
  map?: (object: KubeObject, as: "is" | "was") => readonly ObjectKey[] | Promise<readonly ObjectKey[]>;
}

/** Wakes a controller from the world: a session that reported, checks that ended, a folder that changed. */
export interface SignalSource {
  /** Calls `wake` whenever a key should be looked at again, until the signal aborts. */
  subscribe(wake: (key: ObjectKey) => void, signal: AbortSignal): void;
}

export interface Controller {
  /** The kind's name in lower case: `agent`. */
  readonly name: string;
  readonly watches: readonly WatchSource[];
  readonly signals?: readonly SignalSource[];
  /** Reconciles of different keys at once; default 1. One key never runs twice at once. */
  readonly concurrency?: number;
  /** The longest pause after failures of a key in a row, in milliseconds; 1000 s when left out. */
  readonly backoffMsMax?: number;
  /**
   * One small step towards what is declared. Called at any time, any number of times, with nothing but a name.
   *
   * @throws TransientError, WaitingError, TerminalError (pkg/runtime/errors.ts) or anything else, which is a bug
   */
  reconcile(key: ObjectKey, signal: AbortSignal): Promise<Next>;
}
