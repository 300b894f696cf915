/** The line that requests wait in: reviews first, then execution, in order of arrival within each. */
import type { Clock } from "../runtime/clock.ts";
import type { Purpose } from "../session/sessions.ts";

/** What came of one look at a waiting request. */
export type Turn<T> =
  | { is: "served"; result: T }
  /** Not yet. Nobody behind it who wants or has to pass one of `blocks` may overtake it. */
  | { is: "wait"; blocks: readonly string[] };

export interface Waiting<T> {
  purpose: Purpose;
  /** Names of what it wants a share of, now: a later one that wants none of what an earlier one waits for may pass it. */
  wants(): readonly string[];
  /** Names of what it has to pass and uses nothing up of: who waits for something else keeps nobody from passing. */
  passes: readonly string[];
  /** Looks whether it can be served now, and serves it. Must not throw, nor have the line looked at before it is back. */
  serve(): Turn<T>;
}

interface Place {
  rank: number;
  wants(): readonly string[];
  passes: readonly string[];
  look(): Turn<unknown>;
}

/** Why a wait's timer ends; one for all, since making a DOMException each time would cost more than the wait. */
const left = new Error("It left the line");

const RANK: Record<Purpose, number> = { review: 0, execute: 1 };

/** Its turn did not come in the time that a request may stand in line. */
export class WaitTimeoutError extends Error {
  override readonly name = "WaitTimeoutError";
}

/** Requests that wait to be paid for: by purpose, then in the order in which they came. */
export class Line {
  readonly #clock: Clock;
  readonly #waitMs: number;
  #places: Place[] = [];

  /** @param waitMs - how long a request may wait, in milliseconds */
  constructor({ clock, waitMs }: { clock: Clock; waitMs: number }) {
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  /**
   * Resolves with what `serve` gave when its turn came.
   *
   * @throws WaitTimeoutError when that took longer than the line allows; `signal.reason` when aborted
   */
  async wait<T>(waiting: Waiting<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const place: Place = {
      rank: RANK[waiting.purpose],
      wants: () => waiting.wants(),
      passes: waiting.passes,
      look() {
        const turn = waiting.serve();
        if (turn.is === "served") resolve(turn.result);
        return turn;
      },
    };
    // Out of line first: nobody who has been turned away may still be served.
    const leave = (reason: unknown): void => {
      this.#places = this.#places.filter((one) => one !== place);
      reject(reason);
      this.look();
    };
    this.#enter(place);
    this.look();
    // Served at once, as nearly everyone is.
    if (!this.#places.includes(place)) return promise;
    const ended = new AbortController();
    signal.addEventListener("abort", () => leave(signal.reason), { signal: ended.signal });
    this.#clock.sleep(this.#waitMs, ended.signal).then(
      () => leave(new WaitTimeoutError(`It waited ${this.#waitMs / 1000} seconds in line.`)),
      () => {
        // Served or aborted before the time was over.
      },
    );
    try {
      return await promise;
    } finally {
      ended.abort(left);
    }
  }

  /** Looks at everyone in line, in order. To be called whenever something may have changed. */
  look(): void {
    const blocked = new Set<string>();
    for (const place of this.#places) {
      const wants = place.wants();
      if ([...wants, ...place.passes].some((one) => blocked.has(one))) {
        for (const want of wants) blocked.add(want);
        continue;
      }
      const turn = place.look();
      if (turn.is === "served") this.#places = this.#places.filter((one) => one !== place);
      else for (const name of turn.blocks) blocked.add(name);
    }
  }

  get length(): number {
    return this.#places.length;
  }

  #enter(place: Place): void {
    const behind = this.#places.findIndex(({ rank }) => rank > place.rank);
    this.#places.splice(behind < 0 ? this.#places.length : behind, 0, place);
  }
}
