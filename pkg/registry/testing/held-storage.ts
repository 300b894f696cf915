import type { Storage, StoredState, Transaction } from "../../storage/storage.ts";

/** A storage whose commits end when the test says so: synced, in order, or failed. */
export class HeldStorage implements Storage {
  readonly committed: Transaction[] = [];
  readonly #held: { transaction: Transaction; resolve: () => void; reject: (error: Error) => void }[] = [];
  #holding = false;

  /** From now on commits wait. */
  hold(): void {
    this.#holding = true;
  }

  async open(): Promise<StoredState> {
    return { revision: 0, objects: [], files: [] };
  }

  async commit(transaction: Transaction): Promise<void> {
    if (this.#holding) {
      await new Promise<void>((resolve, reject) => this.#held.push({ transaction, resolve, reject }));
    }
    this.committed.push(transaction);
  }

  /** Ends the oldest commit that waits. */
  sync(): void {
    this.#held.shift()?.resolve();
  }

  /** Fails the commits that wait: so many of the oldest, all when left out. */
  fail(error: Error, count = this.#held.length): void {
    for (const { reject } of this.#held.splice(0, count)) reject(error);
  }

  async close(): Promise<void> {}
}
