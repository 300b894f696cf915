import type { Change, FileText, Storage, StoredState, Transaction } from "./storage.ts";

/**
 * A storage that survives `close` but not the process: for tests and the simulator. Commits resolve in a
 * microtask, in order.
 */
export class MemoryStorage implements Storage {
  readonly #objects = new Map<string, Change>();
  readonly #files = new Map<string, FileText>();
  #revision = 0;
  #open = false;

  async open(): Promise<StoredState> {
    this.#open = true;
    return {
      revision: this.#revision,
      objects: [...this.#objects.values()],
      files: [...this.#files.values()],
    };
  }

  async commit(transaction: Transaction): Promise<void> {
    if (!this.#open) throw new Error("The memory storage is not open. Call open() before commit().");
    for (const change of transaction.changes) this.#apply(change);
    for (const file of transaction.files ?? []) {
      if (file.text === undefined) this.#files.delete(file.path);
      else this.#files.set(file.path, file);
    }
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  #apply(change: Change): void {
    const key = `${change.resource}/${change.namespace}/${change.name}`;
    if (change.object === undefined) this.#objects.delete(key);
    else this.#objects.set(key, change);
    this.#revision = Math.max(this.#revision, change.revision);
  }
}
