import { describe, expect, test } from "vitest";
import type { KubeObject } from "../api/meta.ts";
import type { Edit } from "../storage/admission.ts";
import { MemoryStorage } from "../storage/memory.ts";
import type { Change } from "../storage/storage.ts";
import type { Registry } from "./registry.ts";
import { HeldStorage } from "./testing/held-storage.ts";
import { openTestRegistry } from "./testing/registry.ts";
import { testCrds } from "./testing/widget.ts";

const widgets = "test.example/widgets";

test("what a client sends stays its own: it may change it, and what is stored does not follow", async () => {
  const { registry } = await openTestRegistry();
  const parts = () => [{ name: "wheel", quantity: 4 }];
  const sent: { spec: { parts: { name: string; quantity: number }[] } }[] = [];
  const keep = <T extends (typeof sent)[number]>(body: T): T => {
    sent.push(body);
    return body;
  };
  await registry.create(widgets, "default", keep({ ...widget("a"), spec: { parts: parts() } }));
  const { metadata } = await registry.get(widgets, key("a"));
  await registry.update(widgets, key("a"), keep({ ...widget("a"), metadata, spec: { parts: parts() } }));
  await registry.patch(widgets, key("a"), { type: "merge", body: keep({ spec: { parts: parts() } }) });
  for (const { spec } of sent) for (const part of spec.parts) part.quantity = 99;
  expect((await registry.get(widgets, key("a"))).spec).toMatchObject({ parts: parts() });
});

describe("durability", () => {
  test("a write is answered and read only once it is synced", async () => {
    const storage = new HeldStorage();
    const { registry } = await openTestRegistry({ storage });
    storage.hold();
    const answer = track(registry.create(widgets, "default", widget("a")));
    await turn();
    expect(answer.settled).toBe(false);
    await expect(registry.get(widgets, key("a"))).rejects.toMatchObject({ reason: "NotFound" });
    expect((await registry.list(widgets)).items).toEqual([]);

    storage.sync();
    const created = await answer.promise;
    expect(await registry.get(widgets, key("a"))).toBe(created);
    expect((await registry.list(widgets)).metadata.resourceVersion).toBe(created.metadata.resourceVersion);
  });

  const size = { spec: { size: 7 } };
  test.each<[string, (registry: Registry, before: KubeObject) => Promise<unknown>]>([
    ["PUT", (registry, before) => registry.update(widgets, key("a"), { ...before, ...size })],
    ["patch", (registry) => registry.patch(widgets, key("a"), { type: "merge", body: size })],
    ["apply", (registry) => registry.apply(widgets, key("a"), { ...widget("a"), ...size }, { force: true })],
    ["deletion", (registry) => registry.delete(widgets, key("a"))],
    ["deletion of a collection", (registry) => registry.deleteCollection(widgets, {})],
    [
      "transaction",
      (registry) => registry.transact([{ verb: "merge", resource: widgets, key: key("a"), patch: size }], []),
    ],
  ])("so is a %s", async (_how, write) => {
    const storage = new HeldStorage();
    const { registry } = await openTestRegistry({ storage });
    const before = await registry.create(widgets, "default", widget("a"));
    storage.hold();
    const answer = track(write(registry, before));
    await turn();
    expect(answer.settled).toBe(false);
    expect((await registry.list(widgets)).items).toEqual([before]);
    storage.sync();
    await answer.promise;
    expect((await registry.list(widgets)).items).not.toEqual([before]);
  });

  test("a write is admitted against writes that are not synced yet", async () => {
    const storage = new HeldStorage();
    const { registry } = await openTestRegistry({ storage });
    storage.hold();
    const first = registry.create(widgets, "default", widget("a"));
    const second = registry.patch(widgets, key("a"), { type: "merge", body: { spec: { size: 7 } } });
    await expect(registry.create(widgets, "default", widget("a"))).rejects.toMatchObject({
      reason: "AlreadyExists",
    });
    storage.sync();
    storage.sync();
    expect((await first).spec).toMatchObject({ size: 5 });
    expect((await second).spec).toMatchObject({ size: 7 });
  });

  test("a write that changes nothing is answered only when what it saw is synced", async () => {
    const storage = new HeldStorage();
    const { registry } = await openTestRegistry({ storage });
    storage.hold();
    const created = registry.create(widgets, "default", widget("a"));
    const same = track(registry.patch(widgets, key("a"), { type: "merge", body: { spec: { size: 5 } } }));
    await turn();
    expect(same.settled).toBe(false);
    storage.sync();
    expect(await same.promise).toBe(await created);
  });

  test("watchers hear of a write after its answer", async () => {
    const { registry, settle } = await openTestRegistry();
    const told: string[] = [];
    registry.subscribe((changes) => told.push(...changes.map((change) => change.name)));
    await settle();
    await registry.create(widgets, "default", widget("a"));
    expect(told).not.toContain("a");
    await settle();
    expect(told.at(-1)).toBe("a");
  });

  test("a commit that fails ends everything with one clear error", async () => {
    const storage = new HeldStorage();
    const fatal: Error[] = [];
    const { registry } = await openTestRegistry({ storage, onFatal: (error) => fatal.push(error) });
    const watching = registry.watch(widgets, { resourceVersion: registry.revision });
    const event = watching[Symbol.asyncIterator]().next();
    storage.hold();
    const answers = [
      registry.create(widgets, "default", widget("a")),
      registry.create(widgets, "default", widget("b")),
      event,
    ];
    const outcomes = Promise.allSettled(answers);
    storage.fail(new Error("EIO: no space left"));
    const message =
      "Internal error occurred: the storage failed and nothing more is accepted; restart to recover: EIO: no space left";
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: 500, message } });
    }
    await expect(registry.get(widgets, key("a"))).rejects.toMatchObject({ message });
    await expect(registry.create(widgets, "default", widget("c"))).rejects.toMatchObject({ message });
    await expect(registry.transact([], [{ path: "a.yaml", text: "" }])).rejects.toMatchObject({ message });
    expect(fatal.map((error) => error.message)).toEqual([message]);
  });

  test("what was on its way behind a commit that failed is neither answered nor stored for readers", async () => {
    const storage = new HeldStorage();
    const { registry } = await openTestRegistry({ storage });
    const heard: Change[] = [];
    registry.subscribe((changes) => heard.push(...changes));
    storage.hold();
    const outcomes = Promise.allSettled(
      ["a", "b"].map((name) => registry.create(widgets, "default", widget(name))),
    );
    storage.fail(new Error("EIO"), 1);
    await turn();
    storage.sync();
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(registry.counts().find(([{ id }]) => id === widgets)?.[1]).toBe(0);
    expect(heard).toEqual([]);
  });

  test("what was acknowledged is there after a restart, with greater revisions to come", async () => {
    const storage = new MemoryStorage();
    const before = await openTestRegistry({ storage });
    const kept = await before.registry.create(widgets, "default", widget("kept"));
    await before.registry.create(widgets, "default", widget("gone"));
    await before.registry.delete(widgets, key("gone"));
    const { revision } = before.registry;
    await storage.close();

    const { registry } = await openTestRegistry({ storage });
    expect((await registry.list(widgets)).items).toEqual([kept]);
    expect(registry.revision).toBe(revision);
    const next = await registry.create(widgets, "default", widget("next"));
    expect(Number(next.metadata.resourceVersion)).toBe(Number(revision) + 1);
  });

  test("a default that the definition gained is seen on objects stored before", async () => {
    const storage = new MemoryStorage();
    const before = await openTestRegistry({ storage });
    await before.registry.create(widgets, "default", widget("a"));
    const crds = structuredClone(testCrds) as never[];
    // biome-ignore lint/suspicious/noExplicitAny: reaches into parsed YAML
    const spec = (crds[0] as any).spec.versions[0].schema.openAPIV3Schema.properties.spec;
    spec.properties.material = { type: "string", default: "wood" };
    const { registry } = await openTestRegistry({ storage, crds });
    expect((await registry.get(widgets, key("a"))).spec).toMatchObject({ material: "wood" });
  });

  test("a watch from before a restart is Expired", async () => {
    const storage = new MemoryStorage();
    const before = await openTestRegistry({ storage });
    const old = before.registry.revision;
    await before.registry.create(widgets, "default", widget("a"));
    const { registry } = await openTestRegistry({ storage });
    const events = registry.watch(widgets, { resourceVersion: old });
    await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 410,
      reason: "Expired",
    });
  });
});

test("nothing waits for more than microtasks, so that a simulator decides every order", async () => {
  const { registry } = await openTestRegistry();
  let later = false;
  setImmediate(() => {
    later = true;
  });
  await registry.create(widgets, "default", widget("a", { low: 1, high: 2, words: ["a"] }));
  await registry.patch(widgets, key("a"), { type: "merge", body: { spec: { size: 7 } } });
  await registry.list(widgets, { labelSelector: "!app" });
  await registry.transact([{ verb: "delete", resource: widgets, key: key("a") }], []);
  expect(later).toBe(false);
});

describe("dry runs", () => {
  test("admit and answer, and write nothing", async () => {
    const { registry } = await openTestRegistry();
    const before = registry.revision;
    const planned = await registry.create(widgets, "default", widget("a"), { dryRun: true });
    expect(planned.spec).toMatchObject({ size: 5 });
    expect(planned.metadata.resourceVersion).toBeUndefined();
    const bad = registry.create(widgets, "default", widget("a", { size: 0 }), { dryRun: true });
    await expect(bad).rejects.toMatchObject({ reason: "Invalid" });
    expect(registry.revision).toBe(before);
    expect((await registry.list(widgets)).items).toEqual([]);
  });
});

describe("transactions of a person's file", () => {
  test("all edits and the files' texts are one storage transaction", async () => {
    const storage = new HeldStorage();
    const { registry } = await openTestRegistry({ storage });
    const files = [{ path: "a.yaml", text: "kind: Widget" }];
    const result = await registry.transact(
      [
        { verb: "create", object: widget("a") },
        { verb: "create", object: widget("b") },
        { verb: "merge", resource: widgets, key: key("a"), patch: { spec: { size: 7 } } },
        { verb: "delete", resource: widgets, key: key("b") },
      ],
      files,
    );
    expect(result).toEqual({ admitted: true, revision: Number(registry.revision) });
    const last = storage.committed.at(-1);
    expect(last?.files).toEqual(files);
    expect(last?.changes.map(outline)).toEqual(["a 5", "b 5", "a 7", "b gone"]);
    expect(registry.newest(widgets, key("b"))).toBeUndefined();
  });

  test("one refused edit refuses them all, each with its error", async () => {
    const storage = new HeldStorage();
    const { registry } = await openTestRegistry({ storage });
    const before = storage.committed.length;
    const edits = [
      { verb: "create", object: widget("a") },
      { verb: "create", object: widget("b", { size: 0 }) },
      { verb: "delete", resource: widgets, key: key("none") },
    ] as const;
    const result = await registry.transact(edits, []);
    expect(result).toMatchObject({
      admitted: false,
      errors: [
        { edit: edits[1], error: { reason: "Invalid" } },
        { edit: edits[2], error: { reason: "NotFound" } },
      ],
    });
    expect(storage.committed).toHaveLength(before);
    expect(registry.newest(widgets, key("a"))).toBeUndefined();
  });

  test("each edit is admitted on what those before it made, a deletion too", async () => {
    const { registry } = await openTestRegistry();
    const create = (size: number): Edit => ({ verb: "create", object: widget("a", { size }) });
    const remove: Edit = { verb: "delete", resource: widgets, key: key("a") };
    const merge: Edit = { verb: "merge", resource: widgets, key: key("a"), patch: { spec: { size: 9 } } };
    await registry.transact([create(1)], []);
    const { uid } = registry.newest(widgets, key("a"))?.metadata ?? {};
    for (const refused of [
      [remove, remove],
      [remove, merge],
      [remove, create(2), create(3)],
    ])
      expect(await registry.transact(refused, [])).toMatchObject({ errors: [{ edit: refused.at(-1) }] });
    expect(await registry.transact([remove, create(2)], [])).toMatchObject({ admitted: true });
    expect(registry.newest(widgets, key("a"))).toMatchObject({ spec: { size: 2 } });
    expect(registry.newest(widgets, key("a"))?.metadata.uid).not.toBe(uid);
  });

  test("texts alone are written too", async () => {
    const storage = new HeldStorage();
    const { registry } = await openTestRegistry({ storage });
    const { revision } = registry;
    expect(await registry.transact([], [{ path: "a.yaml", text: "# only a comment" }])).toEqual({
      admitted: true,
      revision: Number(revision),
    });
    expect(storage.committed.at(-1)).toEqual({
      changes: [],
      files: [{ path: "a.yaml", text: "# only a comment" }],
    });
  });

  test("the meaning of a declaration is what it says and its defaults, nothing of the server's", async () => {
    const { registry } = await openTestRegistry();
    const created = await registry.create(widgets, "default", {
      ...widget("a", { size: 7 }),
      metadata: { name: "a", labels: { app: "x" } },
    });
    const meaning = {
      apiVersion: "test.example/v1",
      kind: "Widget",
      metadata: { name: "a", namespace: "default", labels: { app: "x" } },
      spec: { size: 7, color: "red", replicas: 1 },
    };
    expect(registry.meaning({ ...created, status: { phase: "Running" } })).toEqual(meaning);
  });
});

test("a deletion of a collection that ends at one that may not go has deleted those before it", async () => {
  const { registry } = await openTestRegistry();
  const { metadata } = await registry.create(widgets, "default", widget("a"));
  for (const name of ["b", "c"]) await registry.create(widgets, "default", widget(name));
  const ofA = { preconditions: { uid: metadata.uid ?? "" } };
  await expect(registry.deleteCollection(widgets, {}, ofA)).rejects.toMatchObject({ reason: "Conflict" });
  const { items } = await registry.list(widgets);
  expect(items.map(({ metadata: { name } }) => name)).toEqual(["b", "c"]);
});

test("an edit of a file is of the default namespace, and no other", async () => {
  const { registry } = await openTestRegistry();
  const elsewhere = { ...widget("a"), metadata: { name: "a", namespace: "kube-public" } };
  const result = await registry.transact([{ verb: "create", object: elsewhere }], []);
  expect(result).toMatchObject({
    admitted: false,
    errors: [
      {
        error: {
          message: "the namespace of the provided object does not match the namespace sent on the request",
        },
      },
    ],
  });
});

test("two definitions of one resource are refused", async () => {
  await expect(openTestRegistry({ crds: [testCrds[0], testCrds[0]] })).rejects.toThrow(
    "Two definitions name the resource test.example/widgets.",
  );
});

function widget(name: string, spec: object = {}): KubeObject {
  return { apiVersion: "test.example/v1", kind: "Widget", metadata: { name }, spec };
}

function key(name: string) {
  return { namespace: "default", name };
}

function outline({ name, object }: Change): string {
  return `${name} ${object === undefined ? "gone" : (object.spec as { size: number }).size}`;
}

function track<T>(promise: Promise<T>): { promise: Promise<T>; settled: boolean } {
  const tracked = { promise, settled: false };
  promise.finally(() => {
    tracked.settled = true;
  });
  return tracked;
}

/** Lets every microtask run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
