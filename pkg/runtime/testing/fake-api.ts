/** An API of Agents for tests, that tells its watches of what happened when it is asked to. */
import type { Agent } from "../../api/generated.ts";
import type { ObjectMeta } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import type { Client, WatchEvent } from "../client.ts";

interface Told {
  revision: number;
  event: WatchEvent<Agent>;
}

export class FakeApi {
  revision = 0;
  readonly objects = new Map<string, Agent>();
  /** How often it was asked. */
  readonly asked = { get: 0, list: 0, watch: 0 };
  /** What a list waits for after it was read. */
  answer: Promise<void> = Promise.resolve();
  /** What a write that was made answers with in place of the object. */
  failure: Error | undefined;
  #history: Told[] = [];
  #told = 0;
  #oldest = 0;
  /** Wakes each watch, or ends it with an error, or with none. */
  readonly #watches = new Set<(end?: { error: Error | undefined }) => void>();

  put(name: string, metadata: Partial<ObjectMeta> = {}): Agent {
    this.revision += 1;
    const previous = this.objects.get(name);
    const kept = { uid: previous?.metadata.uid ?? `uid-${this.revision}`, namespace: "default", name };
    const object = {
      metadata: { ...kept, ...metadata, resourceVersion: String(this.revision) },
    } as Agent;
    this.objects.set(name, object);
    this.#history.push({
      revision: this.revision,
      event: { type: previous === undefined ? "ADDED" : "MODIFIED", object },
    });
    return object;
  }

  remove(name: string): void {
    const object = this.objects.get(name);
    if (object === undefined) return;
    this.revision += 1;
    this.objects.delete(name);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.revision) } };
    this.#history.push({ revision: this.revision, event: { type: "DELETED", object: last } });
  }

  /** Watches hear of all that happened up to a revision. */
  tell(revision = this.revision): void {
    this.#told = revision;
    for (const wake of this.#watches) wake();
  }

  /** What happened and was not told yet is never told. */
  lose(): void {
    this.#history = this.#history.filter(({ revision }) => revision <= this.#told);
  }

  /** Ends every watch, with an error or without one. */
  end(error?: Error): void {
    for (const end of this.#watches) end({ error });
  }

  /** What happened so far is history no more: a watch from before it is Expired, and those that run end so. */
  forget(): void {
    this.#oldest = this.revision;
    this.#history = [];
    this.end(expired());
  }

  /** A copy of the server of before takes its place. */
  restore(revision: number, objects: readonly Agent[]): void {
    this.revision = revision;
    this.objects.clear();
    for (const object of objects) this.objects.set(object.metadata.name, object);
    this.#history = [];
    this.end();
  }

  /** What `write` made is answered, or the failure that stands in its place. */
  #answered<T>(write: () => T): T {
    const made = write();
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    return made;
  }

  async *#watch(after: number, signal: AbortSignal): AsyncGenerator<WatchEvent<Agent>> {
    this.asked.watch += 1;
    if (after < this.#oldest) throw expired();
    let ended: { error: Error | undefined } | undefined;
    let wake: (end?: { error: Error | undefined }) => void = () => {};
    const woken = (end?: { error: Error | undefined }) => {
      ended ??= end;
      wake(end);
    };
    this.#watches.add(woken);
    signal.addEventListener("abort", () => wake(), { once: true });
    try {
      for (let position = after; !signal.aborted; ) {
        if (ended !== undefined) {
          if (ended.error !== undefined) throw ended.error;
          return;
        }
        const next = this.#history.find(({ revision }) => revision > position && revision <= this.#told);
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            wake = () => resolve();
          });
          continue;
        }
        position = next.revision;
        yield next.event;
      }
    } finally {
      this.#watches.delete(woken);
    }
  }

  readonly client = {
    get: async (_kind: string, { name }: { name: string }) => {
      this.asked.get += 1;
      return this.objects.get(name);
    },
    list: async () => {
      this.asked.list += 1;
      const items = [...this.objects.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      const metadata = { resourceVersion: String(this.revision) };
      await this.answer;
      return { metadata, items };
    },
    watch: (_kind: string, { resourceVersion, signal }: { resourceVersion: string; signal: AbortSignal }) =>
      this.#watch(Number(resourceVersion), signal),
    update: async (_kind: string, { metadata }: Agent) =>
      this.#answered(() => {
        const object = this.put(metadata.name, metadata);
        // With its last finalizer off, what is being deleted goes.
        const { deletionTimestamp, finalizers = [] } = metadata;
        if (deletionTimestamp !== undefined && finalizers.length === 0) this.remove(metadata.name);
        return object;
      }),
    delete: async (_kind: string, { name }: { name: string }) =>
      this.#answered(() => {
        const { metadata } = this.objects.get(name) ?? {};
        if ((metadata?.finalizers ?? []).length === 0) this.remove(name);
        else this.put(name, { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z" });
      }),
  } as unknown as Client;
}

const expired = (): StatusError => new StatusError(410, "Expired", "too old resource version");
