/** A registry for tests: time stands still, ids and chance are counted, later turns run when asked. */
import { MemoryStorage } from "../../storage/memory.ts";
import type { Storage } from "../../storage/storage.ts";
import { Registry, type RegistryOptions } from "../registry.ts";
import { testCrds } from "./widget.ts";

export interface TestRegistry {
  readonly registry: Registry;
  readonly storage: Storage;
  /** Runs the deferred turns, and those that they defer, until none is left. */
  settle(): Promise<void>;
}

export async function openTestRegistry(options: Partial<RegistryOptions> = {}): Promise<TestRegistry> {
  const turns: (() => void)[] = [];
  let id = 0;
  const storage = options.storage ?? new MemoryStorage();
  const registry = await Registry.open({
    storage,
    crds: testCrds,
    clock: { now: () => Date.UTC(2026, 0, 2, 3, 4, 5), elapsed: () => 0, sleep: () => new Promise(() => {}) },
    ids: { uuid: () => `00000000-0000-4000-8000-${String(++id).padStart(12, "0")}` },
    random: { next: () => (++id % 27) / 27 },
    defer: (turn) => turns.push(turn),
    ...options,
  });
  return {
    registry,
    storage,
    async settle() {
      for (;;) {
        // What a turn started goes on in microtasks; a macrotask comes after all of them.
        await new Promise((resolve) => setImmediate(resolve));
        const turn = turns.shift();
        if (turn === undefined) return;
        turn();
      }
    },
  };
}
