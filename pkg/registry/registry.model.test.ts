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

/** What a client asks of the registry. */
type Verb =
  | { do: "create"; name: string; size: number; held: boolean; bogus: boolean }
  | { do: "generate"; size: number }
  | { do: "update"; name: string; size: number; stale: boolean }
  | { do: "patch"; name: string; size: number | null; label: string }
  | { do: "replace"; name: string; from: number; size: number }
  | { do: "status"; name: string; replicas: number }
  | { do: "scale"; name: string; wanted: number; patched: boolean }
  | { do: "release"; name: string }
  | { do: "delete"; name: string; policy: Policy | undefined; another: boolean }
  | { do: "clear"; label: string; policy: Policy | undefined };

type Step = (Verb & { dryRun: boolean }) | { do: "settle" } | { do: "restart" };

type Policy = "Background" | "Foreground" | "Orphan";

interface Modelled {
  size: number;
  /** Of the spec. */
  wanted: number;
  replicas: number | undefined;
  label: string | undefined;
  held: boolean;
  /** Waits for the collector. */
  collecting: "orphan" | "foregroundDeletion" | undefined;
  deleting: boolean;
  generation: number;
  revision: number;
}

const name = fc.constantFrom("a", "b", "c");
/** 0 and 101 are out of bounds. */
const size = fc.constantFrom(0, 1, 5, 7, 100, 101);
const label = fc.constantFrom("x", "y");
const policy = fc.constantFrom<Policy | undefined>(
  undefined,
  undefined,
  "Background",
  "Foreground",
  "Orphan",
);

function asked<V extends Verb["do"]>(
  verb: V,
  model: { [K in keyof Omit<Extract<Verb, { do: V }>, "do">]: fc.Arbitrary<Extract<Verb, { do: V }>[K]> },
): fc.Arbitrary<Step> {
  const dryRun = fc.integer({ min: 0, max: 4 }).map((n) => n === 4);
  return fc.record({ do: fc.constant(verb), dryRun, ...model }) as unknown as fc.Arbitrary<Step>;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  asked("create", { name, size, held: fc.boolean(), bogus: fc.boolean() }),
  asked("generate", { size }),
  asked("update", { name, size, stale: fc.boolean() }),
  asked("patch", { name, size: fc.oneof(size, fc.constant(null)), label }),
  asked("replace", { name, from: size, size }),
  asked("status", { name, replicas: fc.nat(2) }),
  // 11 is out of bounds. Never 1, the default: a scale that changes no more than the owner of the replicas is a write.
  asked("scale", { name, wanted: fc.constantFrom(0, 2, 11), patched: fc.boolean() }),
  asked("release", { name }),
  asked("delete", { name, policy, another: fc.boolean() }),
  asked("clear", { label, policy }),
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
        if (next.do === "settle") {
          await opened.settle();
          model.collect();
        } else if (next.do === "restart") {
          await opened.settle();
          model.collect();
          await watched.end();
          checkEvents(watched, model);
          opened = await openTestRegistry({ storage });
          watched = watchAll(opened.registry);
        } else {
          const { reason, made } = await outcome(ask(opened.registry, next, model));
          expect(reason).toEqual(model.apply(next, made));
        }
        checkState(await opened.registry.list(widgets), model);
      }
      await opened.settle();
      model.collect();
      checkState(await opened.registry.list(widgets), model);
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
  /** What the collector will look at, in this order. */
  readonly #suspects = new Set<string>();

  constructor(revision: number) {
    this.revision = revision;
  }

  /**
   * Does what is asked and returns the reason of the refusal, or "done".
   *
   * @param made - the name of what was made
   */
  apply(next: Verb & { dryRun: boolean }, made: string | undefined): string {
    if (!next.dryRun) return this.#apply(next, made);
    const copy = new Model(this.revision);
    for (const [name, object] of this.objects) copy.objects.set(name, object);
    return copy.#apply(next, made);
  }

  /** Nothing owns anything here, so the collector has nothing to wait for. */
  collect(): void {
    for (const name of this.#suspects) {
      const object = this.objects.get(name);
      if (object?.deleting && object.collecting !== undefined)
        this.#change(name, object, { collecting: undefined });
    }
    this.#suspects.clear();
  }

  #apply(next: Verb, made: string | undefined): string {
    if (next.do === "clear") {
      const names = [...this.objects.keys()].sort();
      for (const name of names) {
        const object = this.objects.get(name);
        if (object?.label === next.label) this.#delete(name, object, next.policy);
      }
      return "done";
    }
    if (next.do === "create" || next.do === "generate") return this.#create(next, made);
    const object = this.objects.get(next.name);
    if (object === undefined) return "NotFound";
    switch (next.do) {
      case "update":
        if (next.stale) return "Conflict";
        return this.#change(next.name, object, { size: next.size, wanted: 1 });
      case "patch":
        return this.#change(next.name, object, { size: next.size ?? 5, label: next.label });
      case "replace":
        if (object.size !== next.from) return "Invalid";
        return this.#change(next.name, object, { size: next.size });
      case "status":
        return this.#change(next.name, object, { replicas: next.replicas });
      case "scale":
        return this.#change(next.name, object, { wanted: next.wanted });
      case "release":
        return this.#change(next.name, object, { held: false, collecting: undefined });
      case "delete":
        if (next.another) return "Conflict";
        this.#delete(next.name, object, next.policy);
        return "done";
    }
  }

  #create(next: Extract<Verb, { do: "create" | "generate" }>, made: string | undefined): string {
    if (next.do === "create" && next.bogus) return "BadRequest";
    if (next.size < 1 || next.size > 100) return "Invalid";
    if (next.do === "create" && this.objects.has(next.name)) return "AlreadyExists";
    const name = next.do === "create" ? next.name : (made ?? "");
    if (next.do === "generate") {
      expect(name).toMatch(/^b-[b-z2-9]{5}$/);
      expect(this.objects.has(name)).toBe(false);
    }
    const fresh = {
      size: next.size,
      wanted: 1,
      replicas: undefined,
      label: next.do === "create" ? undefined : "x",
      held: next.do === "create" && next.held,
      collecting: undefined,
      deleting: false,
      generation: 1,
      revision: 0,
    };
    this.#write(name, fresh, "ADDED");
    return "done";
  }

  #delete(name: string, object: Modelled, policy: Policy | undefined): void {
    const collecting = { Orphan: "orphan", Foreground: "foregroundDeletion", Background: undefined } as const;
    const next = {
      ...object,
      collecting: policy === undefined ? object.collecting : collecting[policy],
      deleting: true,
      generation: object.generation + (object.deleting ? 0 : 1),
    };
    if (!next.held && next.collecting === undefined) this.#remove(name);
    else if (JSON.stringify(next) !== JSON.stringify(object)) this.#write(name, next, "MODIFIED");
  }

  #change(name: string, object: Modelled, change: Partial<Modelled>): string {
    const next = { ...object, ...change };
    if (JSON.stringify(next) === JSON.stringify(object)) return "done";
    if (next.size < 1 || next.size > 100 || next.wanted > 10) return "Invalid";
    if (next.size !== object.size || next.wanted !== object.wanted) next.generation++;
    if (next.deleting && !next.held && next.collecting === undefined) this.#remove(name);
    else this.#write(name, next, "MODIFIED");
    return "done";
  }

  #write(name: string, object: Modelled, type: string): void {
    this.revision++;
    this.objects.set(name, { ...object, revision: this.revision });
    this.told.push(`${type} ${name} ${this.revision}`);
    if (object.deleting && object.collecting !== undefined) this.#suspects.add(name);
  }

  #remove(name: string): void {
    this.revision++;
    this.objects.delete(name);
    this.told.push(`DELETED ${name} ${this.revision}`);
  }
}

async function ask(registry: Registry, next: Verb & { dryRun: boolean }, model: Model): Promise<unknown> {
  const { dryRun } = next;
  if (next.do === "clear") {
    const options = next.policy === undefined ? {} : { propagationPolicy: next.policy };
    return registry.deleteCollection(
      widgets,
      { namespace: "default", labelSelector: `app=${next.label}` },
      { ...options, dryRun },
    );
  }
  if (next.do === "generate") {
    const metadata = { generateName: "b-", labels: { app: "x" } };
    return registry.create(
      widgets,
      "default",
      { ...widget, metadata, spec: { size: next.size } },
      { dryRun },
    );
  }
  const key = { namespace: "default", name: next.name };
  switch (next.do) {
    case "create": {
      const finalizers = next.held ? [hold] : [];
      const metadata = { name: next.name, finalizers };
      const spec = { size: next.size, ...(next.bogus ? { bogus: 1 } : {}) };
      const fieldValidation = next.bogus ? "Strict" : "Ignore";
      return registry.create(widgets, "default", { ...widget, metadata, spec }, { dryRun, fieldValidation });
    }
    case "update": {
      if (!model.objects.has(next.name))
        return registry.update(widgets, key, { ...widget, metadata: key }, { dryRun });
      const read = await registry.get(widgets, key);
      const resourceVersion = next.stale ? "1" : read.metadata.resourceVersion;
      const metadata = { ...read.metadata, resourceVersion };
      return registry.update(widgets, key, { ...read, metadata, spec: { size: next.size } }, { dryRun });
    }
    case "patch": {
      const body = { metadata: { labels: { app: next.label } }, spec: { size: next.size } };
      return registry.patch(widgets, key, { type: "merge", body }, { dryRun });
    }
    case "replace": {
      const body = [
        { op: "test", path: "/spec/size", value: next.from },
        { op: "replace", path: "/spec/size", value: next.size },
      ];
      return registry.patch(widgets, key, { type: "json", body }, { dryRun });
    }
    case "status": {
      const body = { status: { replicas: next.replicas } };
      return registry.patch(widgets, key, { type: "merge", body }, { subresource: "status", dryRun });
    }
    case "scale": {
      const spec = { replicas: next.wanted };
      const options = { subresource: "scale", dryRun } as const;
      if (next.patched) return registry.patch(widgets, key, { type: "merge", body: { spec } }, options);
      const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: key, spec };
      return registry.put(widgets, key, scale, options);
    }
    case "release":
      return registry.patch(
        widgets,
        key,
        { type: "merge", body: { metadata: { finalizers: null } } },
        { dryRun },
      );
    case "delete": {
      const preconditions = next.another ? { preconditions: { uid: "another" } } : {};
      const options = next.policy === undefined ? {} : { propagationPolicy: next.policy };
      return registry.delete(widgets, key, { ...options, ...preconditions, dryRun });
    }
  }
}

const hold = "test.example/hold";
const widget = { apiVersion: "test.example/v1", kind: "Widget" };

async function outcome(promise: Promise<unknown>): Promise<{ reason: string; made?: string | undefined }> {
  try {
    const answer = (await promise) as { metadata?: { name?: string } };
    return { reason: "done", made: answer.metadata?.name };
  } catch (error) {
    if (error instanceof StatusError) return { reason: error.reason };
    throw error;
  }
}

function checkState(list: Awaited<ReturnType<Registry["list"]>>, model: Model): void {
  expect(list.metadata.resourceVersion).toBe(String(model.revision));
  const found = list.items.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    size: (spec as { size: number }).size,
    wanted: (spec as { replicas: number }).replicas,
    replicas: (status as { replicas?: number } | undefined)?.replicas,
    label: metadata.labels?.app,
    held: metadata.finalizers?.includes(hold) ?? false,
    collecting: metadata.finalizers?.find((finalizer) => finalizer !== hold),
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
