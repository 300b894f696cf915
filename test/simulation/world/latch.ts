import type { FollowedLatch, LatchSeen } from "../../../pkg/session/stop-latch.ts";

/** The stop latch as the file that it is: it outlives every operator. */
export class SimLatch implements FollowedLatch {
  /** Told when it is engaged: hosts look at the file by themselves. */
  onEngaged: () => void = () => {};
  events: { engaged?: () => void } = {};
  readonly #wakers = new Set<() => void>();
  #stops = 0;
  #engaged: string | undefined;
  #released: string | undefined;

  get isEngaged(): boolean {
    return this.#engaged !== undefined;
  }

  async engaged(): Promise<boolean> {
    return this.isEngaged;
  }

  async look(): Promise<LatchSeen> {
    return { engaged: this.#engaged, released: this.#released };
  }

  async engage(): Promise<void> {
    this.#stops += 1;
    this.#engaged = `stop ${this.#stops}`;
    this.#released = undefined;
    this.onEngaged();
    this.events.engaged?.();
    this.#wake();
  }

  async release(only?: string): Promise<void> {
    if (this.#engaged === undefined || (only !== undefined && this.#engaged !== only)) return;
    this.#released = this.#engaged;
    this.#engaged = undefined;
    this.#wake();
  }

  async settle(): Promise<void> {
    this.#released = undefined;
    this.#wake();
  }

  subscribe(wake: () => void, signal: AbortSignal): void {
    this.#wakers.add(wake);
    signal.addEventListener("abort", () => this.#wakers.delete(wake), { once: true });
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
  }
}
