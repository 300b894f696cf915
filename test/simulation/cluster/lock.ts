/** The lock of the folder, as two operators see it that can't see each other: in two containers (docs/ownership.md). */

/** Who takes part. */
export interface LockTaker {
  readonly lives: boolean;
  /** Since when nothing of it has moved; undefined while it beats. */
  readonly silentSinceMs: number | undefined;
}

/** After so long without a beat, and a look whether there is one after all, somebody else may take it. */
const silentMsMax = 33_000;

export class SimLock {
  #term = 0;
  #holder: LockTaker | undefined;

  /** The newest term: what fences compare with. */
  get term(): number {
    return this.#term;
  }

  isHeldBy(taker: LockTaker): boolean {
    return this.#holder === taker;
  }

  /** @returns the term; undefined when another holds it */
  take(taker: LockTaker, nowMs: number): number | undefined {
    const holder = this.#holder;
    if (holder?.lives === true && nowMs - (holder.silentSinceMs ?? nowMs) < silentMsMax) return undefined;
    this.#holder = taker;
    this.#term += 1;
    return this.#term;
  }
}
