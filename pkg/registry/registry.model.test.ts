/**
 * The registry against a model that is a Map and a counter: whatever is asked in whatever order, both answer the same, and
 * what watches and lists showed is exactly what was written.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareResourceVersions, type KubeObject } from "../api/meta.ts";
import { StatusError } from "../api/status-error.ts";
import { MemoryStorage } from "../storage/memory.ts";
import type { Registry } from "./registry.ts";
import { openTestRegistry } from "./testing/registry.ts";

const widgets = "test.example/widgets";

type Step =
  | { do: "create"; name: string; size: number; held: boolean }
  | { do: "update"; name: string; size: number; stale: boolean }
  | { do: "patch"; name: string; size: number | null; label: string }
  | { do: "status"; name: string; replicas: number }
  | { do: "release"; name: string }
  | { do: "delete"; name: string }
  | { do: "settle" }
  | { do: "restart" };

interface Modelled {
  size: number;
  replicas: number | undefined;
  label: string | undefined;
  held: boolean;
  deleting: boolean;
  generation: number;
  revision: number;
}

const name = fc.constantFrom("a", "b", "c");
/** 0 and 101 are out of bounds. */
const size = fc.constantFrom(0, 1, 5, 7, 100, 101);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("create" as const), name, size, held: fc.boolean() }),
  fc.record({ do: fc.constant("update" as const), name, size, stale: fc.boolean() }),
  fc.record({
    do: fc.constant("patch" as const),
    name,
    size: fc.oneof(size, fc.constant(null)),
    label: fc.constantFrom("x", "y"),
  }),
  fc.record({ do: fc.constant("status" as const), name, replicas: fc.nat(2) }),
  fc.record({ do: fc.constant("release" as const), name }),
  fc.record({ do: fc.constant("delete" as const), name }),
  fc.record({ do: fc.constant("settle" as const) }),
  fc.record({ do: fc.constant("restart" as const) }),
);

test("the registry does what a map with a counter does, and watches tell exactly its writes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const storage = new MemoryStorage();
      let opened = await openTestRegistry({ storage });
      let watched = watchAll(opened.registry);
      const model = new Model(Number(opened.registry.revision));
      for (const next of steps) {
        if (next.do === "settle") await opened.settle();
        else if (next.do === "restart") {
          await opened.settle();
          await watched.end();
          checkEvents(watched, model);
          opened = await openTestRegistry({ storage });
          watched = watchAll(opened.registry);
        } else {
          expect(await outcome(apply(opened.registry, next, model))).toEqual(model.apply(next));
        }
        checkState(await opened.registry.list(widgets), model);
      }
      await opened.settle();
      await watched.end();
      checkEvents(watched, model);
    }),
    { numRuns: 300 },
  );
});

class Model {
  readonly objects = new Map<string, Modelled>();
  /** What watchers were to be told since they were last asked: `ADDED a 5`. */
  told: string[] = [];
  revision: number;

  constructor(revision: number) {
    this.revision = revision;
  }

  /** Does what the step asks and returns the reason of the refusal, or "done". */
  apply(next: Exclude<Step, { do: "settle" | "restart" }>): string {
    const object = this.objects.get(next.name);
    if (next.do === "create") {
      if (next.size < 1 || next.size > 100) return "Invalid";
      if (object !== undefined) return "AlreadyExists";
      const { size, held } = next;
      const fresh = { replicas: undefined, label: undefined, deleting: false, generation: 1, revision: 0 };
      this.#write(next.name, { ...fresh, size, held }, "ADDED");
      return "done";
    }
    if (object === undefined) return "NotFound";
    switch (next.do) {
      case "update":
        if (next.stale) return "Conflict";
        return this.#change(next.name, object, { size: next.size });
      case "patch":
        return this.#change(next.name, object, { size: next.size ?? 5, label: next.label });
      case "status":
        return this.#change(next.name, object, { replicas: next.replicas });
      case "release":
        return this.#change(next.name, object, { held: false });
      case "delete":
        if (!object.held) this.#remove(next.name);
        else if (!object.deleting) {
          this.#write(
            next.name,
            { ...object, deleting: true, generation: object.generation + 1 },
            "MODIFIED",
          );
        }
        return "done";
    }
  }

  #change(name: string, object: Modelled, change: Partial<Modelled>): string {
    const next = { ...object, ...change };
    if (JSON.stringify(next) === JSON.stringify(object)) return "done";
    if (next.size !== object.size && (next.size < 1 || next.size > 100)) return "Invalid";
    if (next.size !== object.size) next.generation++;
    if (next.deleting && !next.held) this.#remove(name);
    else this.#write(name, next, "MODIFIED");
    return "done";
  }

  #write(name: string, object: Modelled, type: string): void {
    this.revision++;
    this.objects.set(name, { ...object, revision: this.revision });
    this.told.push(`${type} ${name} ${this.revision}`);
  }

  #remove(name: string): void {
    this.revision++;
    this.objects.delete(name);
    this.told.push(`DELETED ${name} ${this.revision}`);
  }
}

async function apply(
  registry: Registry,
  next: Exclude<Step, { do: "settle" | "restart" }>,
  model: Model,
): Promise<unknown> {
  const key = { namespace: "default", name: next.name };
  switch (next.do) {
    case "create": {
      const finalizers = next.held ? ["test.example/hold"] : [];
      const metadata = { name: next.name, finalizers };
      return registry.create(widgets, "default", { ...widget, metadata, spec: { size: next.size } });
    }
    case "update": {
      if (!model.objects.has(next.name)) return registry.update(widgets, key, { ...widget, metadata: key });
      const read = await registry.get(widgets, key);
      const resourceVersion = next.stale ? "1" : read.metadata.resourceVersion;
      const metadata = { ...read.metadata, resourceVersion };
      return registry.update(widgets, key, { ...read, metadata, spec: { size: next.size } });
    }
    case "patch": {
      const body = { metadata: { labels: { app: next.label } }, spec: { size: next.size } };
      return registry.patch(widgets, key, { type: "merge", body });
    }
    case "status": {
      const body = { status: { replicas: next.replicas } };
      return registry.patch(widgets, key, { type: "merge", body }, { subresource: "status" });
    }
    case "release":
      return registry.patch(widgets, key, { type: "merge", body: { metadata: { finalizers: null } } });
    case "delete":
      return registry.delete(widgets, key);
  }
}

const widget = { apiVersion: "test.example/v1", kind: "Widget" };

async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "done";
  } catch (error) {
    if (error instanceof StatusError) return error.reason;
    throw error;
  }
}

function checkState(list: Awaited<ReturnType<Registry["list"]>>, model: Model): void {
  expect(list.metadata.resourceVersion).toBe(String(model.revision));
  const found = list.items.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    size: (spec as { size: number }).size,
    replicas: (status as { replicas?: number } | undefined)?.replicas,
    label: metadata.labels?.app,
    held: metadata.finalizers !== undefined,
    deleting: metadata.deletionTimestamp !== undefined,
    generation: metadata.generation,
    revision: Number(metadata.resourceVersion),
  }));
  const expected = [...model.objects].map(([name, object]) => ({ name, ...object }));
  expect(found).toEqual(expected.sort((a, b) => (a.name < b.name ? -1 : 1)));
}

interface Watched {
  readonly events: { type: string; object: KubeObject }[];
  end(): Promise<void>;
}

function watchAll(registry: Registry): Watched {
  const controller = new AbortController();
  const events: { type: string; object: KubeObject }[] = [];
  const done = (async () => {
    const options = { resourceVersion: registry.revision, signal: controller.signal };
    for await (const event of registry.watch(widgets, options)) {
      if (event.type !== "BOOKMARK") events.push(event);
    }
  })();
  return {
    events,
    end() {
      controller.abort();
      return done;
    },
  };
}

/** Each write is told once, in order, under its revision, and nothing else is. */
function checkEvents({ events }: Watched, model: Model): void {
  const told = events.map(
    ({ type, object }) => `${type} ${object.metadata.name} ${object.metadata.resourceVersion}`,
  );
  expect(told).toEqual(model.told);
  model.told = [];
  for (const [i, { object }] of events.entries()) {
    const before = events[i - 1]?.object.metadata.resourceVersion;
    const { resourceVersion = "" } = object.metadata;
    if (before !== undefined) expect(compareResourceVersions(before, resourceVersion)).toBeLessThan(0);
  }
}
