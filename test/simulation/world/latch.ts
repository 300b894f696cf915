import type { StopLatch } from "../../../pkg/session/stop-latch.ts";

/** The stop latch as the file that it is: it outlives every operator. */
export class SimLatch implements StopLatch {
  isEngaged = false;
  /** Told when it is engaged: hosts look at the file by themselves. */
  onEngaged: () => void = () => {};

  async engaged(): Promise<boolean> {
    return this.isEngaged;
  }

  async engage(): Promise<void> {
    this.isEngaged = true;
    this.onEngaged();
  }

  async release(): Promise<void> {
    this.isEngaged = false;
  }
}
