/**
 * Watches under concurrent writers and restarts: whatever is written in whatever order, and wherever a watch begins, is
 * cut and resumed, it tells exactly what the storage acknowledged.
 *
 * The properties are those that etcd's robustness tests check of its watches: bookmarkable, ordered, unique, atomic,
 * reliable, resumable, filtered, with the right state before, and with creations told as such.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { KubeObject } from "../api/meta.ts";
import { isExpired } from "../api/status-error.ts";
import type { WatchEvent } from "../runtime/client.ts";
import type { Edit } from "../storage/admission.ts";
import { MemoryStorage } from "../storage/memory.ts";
import type { Change, Storage, Transaction } from "../storage/storage.ts";
import type { Selection } from "./list.ts";
import type { Registry } from "./registry.ts";
import { openTestRegistry, type TestRegistry } from "./testing/registry.ts";

const widgets = "test.example/widgets";

/** A storage that takes its time, and remembers what it acknowledged. */
class RecordedStorage implements Storage {
  readonly transactions: Transaction[] = [];
  readonly #memory: Storage;
  readonly #turns: () => number;
  #last: Promise<void> = Promise.resolve();

  constructor(memory: Storage, turns: () => number) {
    this.#memory = memory;
    this.#turns = turns;
  }

  open() {
    return this.#memory.open();
  }

  /** In the order of the calls, as every storage. */
  commit(transaction: Transaction): Promise<void> {
    this.transactions.push(transaction);
    this.#last = Promise.all([this.#last, this.#memory.commit(transaction)]).then(async () => {
      for (let turn = this.#turns(); turn > 0; turn--) await nextTurn();
    });
    return this.#last;
  }

  close() {
    return this.#memory.close();
  }
}

type Step =
  | { do: "write"; name: string; color: string; app: string }
  | { do: "delete"; name: string }
  | { do: "transaction"; names: string[]; color: string }
  | { do: "watch"; selection: number; back: number; slow: boolean; bookmark: boolean }
  | { do: "pause" }
  | { do: "restart" };

const name = fc.constantFrom("a", "b", "c", "d");
const color = fc.constantFrom("red", "green", "blue");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("write" as const), name, color, app: fc.constantFrom("x", "y") }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("transaction" as const),
      names: fc.uniqueArray(name, { minLength: 2, maxLength: 3 }),
      color,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("watch" as const),
      selection: fc.nat(4),
      // Below 0: from a revision yet to come.
      back: fc.integer({ min: -3, max: 12 }),
      slow: fc.boolean(),
      bookmark: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pause" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
);

const selections: readonly (Selection & { readonly selects: (object: KubeObject) => boolean })[] = [
  { selects: () => true },
  { namespace: "default", selects: (object) => object.metadata.namespace === "default" },
  { labelSelector: "app=x", selects: (object) => object.metadata.labels?.app === "x" },
  { fieldSelector: "spec.color=red", selects: (object) => colorOf(object) === "red" },
  {
    labelSelector: "app!=y",
    fieldSelector: "spec.color!=blue,metadata.name!=a",
    selects: (object) =>
      object.metadata.labels?.app !== "y" && colorOf(object) !== "blue" && object.metadata.name !== "a",
  },
];

test("every watch tells exactly what was acknowledged, in order, once, filtered right and resumable", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60, size: "max" }),
      fc.infiniteStream(fc.nat(2)),
      async (steps, turns) => {
        const delays = turns[Symbol.iterator]();
        const storage = new RecordedStorage(new MemoryStorage(), () => delays.next().value ?? 0);
        let opened = await open(storage);
        let watchers: Watcher[] = [];
        const writes: Promise<unknown>[] = [];
        const lists: Promise<void>[] = [];
        for (const next of steps) {
          if (next.do === "watch") {
            const from = Math.max(0, Number(opened.registry.revision) - next.back);
            watchers.push(new Watcher(opened.registry, from, next));
          } else if (next.do === "pause") {
            await nextTurn();
            lists.push(checkList(opened.registry, storage));
          } else if (next.do === "restart") {
            await Promise.all(writes);
            await nextTurn();
            for (const watcher of watchers) watcher.check(await watcher.end(), storage);
            watchers = [];
            opened = await open(storage);
          } else writes.push(apply(opened.registry, next));
        }
        await Promise.all(writes);
        await Promise.all(lists);
        await nextTurn();
        for (const watcher of watchers) watcher.check(await watcher.end(), storage);
        await checkResumable(opened.registry, storage);
      },
    ),
    { numRuns: 150 },
  );
});

function open(storage: Storage): Promise<TestRegistry> {
  return openTestRegistry({ storage, defer: setImmediate });
}

/** One watch, read as fast as it comes or a turn behind for each event. */
class Watcher {
  readonly #selection: (typeof selections)[number];
  readonly #from: number;
  readonly #stop = new AbortController();
  readonly #events: WatchEvent<KubeObject>[] = [];
  readonly #done: Promise<void>;
  #expired = false;

  constructor(
    registry: Registry,
    from: number,
    { selection, slow, bookmark }: { selection: number; slow: boolean; bookmark: boolean },
  ) {
    this.#selection = selections[selection] as (typeof selections)[number];
    this.#from = from;
    this.#done = this.#read(registry, slow, bookmark);
  }

  async #read(registry: Registry, slow: boolean, bookmark: boolean): Promise<void> {
    const { selects: _selects, ...selection } = this.#selection;
    const options = { ...selection, resourceVersion: String(this.#from), signal: this.#stop.signal };
    const watch = registry.watch(widgets, options);
    try {
      for await (const event of watch) {
        this.#events.push(event);
        if (bookmark && this.#events.length % 3 === 1) watch.requestBookmark();
        if (slow) await nextTurn();
      }
    } catch (error) {
      if (!isExpired(error)) throw error;
      this.#expired = true;
    }
  }

  /** Once all that was told has been read. */
  async end(): Promise<readonly WatchEvent<KubeObject>[]> {
    for (let seen = -1; seen !== this.#events.length; ) {
      seen = this.#events.length;
      for (let turn = 0; turn < 3; turn++) await nextTurn();
    }
    this.#stop.abort();
    await this.#done;
    return this.#events;
  }

  check(events: readonly WatchEvent<KubeObject>[], storage: RecordedStorage): void {
    if (this.#expired) {
      // Only what lies before the server's own beginning is gone: nothing was told then.
      expect(events).toEqual([]);
      return;
    }
    const expected = expectedEvents(storage, this.#selection.selects, this.#from);
    expect(events.filter(({ type }) => type !== "BOOKMARK").map(told)).toEqual(expected.map(told));
    let delivered = 0;
    for (const event of events) {
      if (event.type !== "BOOKMARK") delivered++;
      else {
        // All up to a bookmark came before it, and nothing up to it comes after.
        const revision = Number(event.resourceVersion);
        expect(revision).toBeGreaterThanOrEqual(this.#from);
        expect(expected.filter(({ object }) => revisionOf(object) <= revision).length).toBe(delivered);
      }
    }
  }
}

interface Told {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: KubeObject;
}

/** What a watch has to tell, read off the storage alone. */
function expectedEvents(
  { transactions }: RecordedStorage,
  selects: (object: KubeObject) => boolean,
  after: number,
): Told[] {
  const state = new Map<string, KubeObject>();
  const events: Told[] = [];
  for (const change of changesOf(transactions)) {
    const { revision, name, object } = change;
    const previous = state.get(name);
    if (object === undefined) state.delete(name);
    else state.set(name, object);
    if (revision <= after) continue;
    const before = previous !== undefined && selects(previous);
    if (object !== undefined && selects(object)) events.push({ type: before ? "MODIFIED" : "ADDED", object });
    else if (before) events.push({ type: "DELETED", object: at(previous, revision) });
  }
  return events;
}

function changesOf(transactions: readonly Transaction[]): readonly Change[] {
  return transactions.flatMap(({ changes }) => changes).filter(({ resource }) => resource === widgets);
}

function told(event: Told | WatchEvent<KubeObject>): string {
  if (event.type === "BOOKMARK") return event.type;
  const { metadata } = event.object;
  return `${event.type} ${metadata.name} ${metadata.resourceVersion} ${colorOf(event.object)} ${metadata.labels?.app}`;
}

/** What a list shows is what the changes up to its revision make; a transaction is in it as a whole or not at all. */
async function checkList(registry: Registry, { transactions }: RecordedStorage): Promise<void> {
  const { metadata, items } = await registry.list(widgets);
  const revision = Number(metadata.resourceVersion);
  const state = new Map<string, KubeObject>();
  for (const { changes } of transactions) {
    const within = changes.filter((change) => change.revision <= revision).length;
    expect([0, changes.length]).toContain(within);
  }
  for (const change of changesOf(transactions)) {
    if (change.revision > revision) continue;
    if (change.object === undefined) state.delete(change.name);
    else state.set(change.name, change.object);
  }
  const sorted = [...state.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  expect(items).toEqual(sorted);
}

/** A watch that is cut after any event and goes on from its revision tells the same as one that is not. */
async function checkResumable(registry: Registry, storage: RecordedStorage): Promise<void> {
  for (const { selects, ...selection } of selections) {
    const oldest = Number(registry.revision) - 8;
    const whole = await read(registry, { ...selection, resourceVersion: String(Math.max(oldest, 0)) });
    if (whole === undefined) continue;
    expect(whole.map(told)).toEqual(expectedEvents(storage, selects, Math.max(oldest, 0)).map(told));
    for (const [i, event] of whole.entries()) {
      if (event.type === "BOOKMARK") continue;
      const resourceVersion = event.object.metadata.resourceVersion ?? "";
      const rest = await read(registry, { ...selection, resourceVersion });
      expect(rest?.map(told)).toEqual(whole.slice(i + 1).map(told));
    }
  }
}

/** What a watch has to tell now; undefined when it is too old. */
async function read(
  registry: Registry,
  options: Selection & { resourceVersion: string },
): Promise<WatchEvent<KubeObject>[] | undefined> {
  const watch = registry.watch(widgets, options);
  watch.requestBookmark();
  const events: WatchEvent<KubeObject>[] = [];
  try {
    for await (const event of watch) {
      if (event.type === "BOOKMARK") break;
      events.push(event);
    }
  } catch (error) {
    if (isExpired(error)) return undefined;
    throw error;
  }
  return events;
}

/** Writes without waiting for others; what is refused for the state it finds is refused. */
async function apply(
  registry: Registry,
  next: Exclude<Step, { do: "watch" | "pause" | "restart" }>,
): Promise<void> {
  if (next.do === "transaction") {
    const edits = next.names.map((name): Edit => {
      const key = { namespace: "default", name };
      if (registry.newest(widgets, key) === undefined) {
        const object = { ...widget, metadata: { name, namespace: "default" }, spec: { color: next.color } };
        return { verb: "create", object };
      }
      return { verb: "merge", resource: widgets, key, patch: { spec: { color: next.color } } };
    });
    await registry.transact(edits, []);
    return;
  }
  const key = { namespace: "default", name: next.name };
  const exists = registry.newest(widgets, key) !== undefined;
  if (next.do === "delete") {
    if (exists) await registry.delete(widgets, key);
    return;
  }
  const body = { metadata: { labels: { app: next.app } }, spec: { color: next.color } };
  if (exists) await registry.patch(widgets, key, { type: "merge", body });
  else {
    const metadata = { name: next.name, labels: { app: next.app } };
    await registry.create(widgets, "default", { ...widget, metadata, spec: { color: next.color } });
  }
}

const widget = { apiVersion: "test.example/v1", kind: "Widget" };

function colorOf(object: KubeObject): string | undefined {
  return (object.spec as { color?: string } | undefined)?.color;
}

function revisionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion);
}

function at(object: KubeObject, revision: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
