import { expect, test } from "vitest";
import type { KubeObject } from "../api/meta.ts";
import { isExpired } from "../api/status-error.ts";
import type { Watch } from "./history.ts";
import { openTestRegistry } from "./testing/registry.ts";

const widgets = "test.example/widgets";

test("a watch from a revision that is no longer kept is Expired, with the oldest one that is", async () => {
  const { registry, settle } = await openTestRegistry({ historyLimit: 4 });
  const { revision } = registry;
  await writes(registry, 20, settle);
  const events = registry.watch(widgets, { resourceVersion: revision });
  await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 410,
    reason: "Expired",
    message: expect.stringMatching(/^too old resource version: \d+ \(\d+\)$/),
  });
});

test("the newest changes, as many as the limit, can always be replayed", async () => {
  const { registry, settle } = await openTestRegistry({ historyLimit: 4 });
  await writes(registry, 20, settle);
  const resourceVersion = String(Number(registry.revision) - 4);
  const events = registry.watch(widgets, { resourceVersion })[Symbol.asyncIterator]();
  for (let i = 0; i < 4; i++) {
    const { value } = await events.next();
    expect(value?.type).toBe("MODIFIED");
  }
  await events.return?.();
});

test("from each revision a watch tells all that followed and a list shows what was then, or both are Expired", async () => {
  const { registry, settle } = await openTestRegistry({ historyLimit: 4 });
  const start = Number(registry.revision);
  await writes(registry, 20, settle);
  const end = Number(registry.revision);
  const known: number[] = [];
  for (let from = start + 1; from <= end; from++) {
    const resourceVersion = String(from);
    const watch = registry.watch(widgets, { resourceVersion });
    const list = () => registry.list(widgets, { resourceVersion, resourceVersionMatch: "Exact" });
    try {
      const later = Array.from({ length: end - from }, (_, i) => String(from + 1 + i));
      expect(await revisionsUntilBookmark(watch)).toEqual(later);
    } catch (error) {
      if (!isExpired(error)) throw error;
      await expect(list()).rejects.toMatchObject({ reason: "Expired" });
      continue;
    }
    const { items } = await list();
    expect(items.map(({ metadata }) => metadata.resourceVersion)).toEqual([resourceVersion]);
    known.push(from);
  }
  expect(known).toEqual(Array.from({ length: known.length }, (_, i) => end - known.length + 1 + i));
});

test("a watcher that does not read falls behind, is Expired, and held nothing up", async () => {
  const { registry, settle } = await openTestRegistry({ historyLimit: 4 });
  const events = registry.watch(widgets, { resourceVersion: registry.revision })[Symbol.asyncIterator]();
  const first = events.next();
  await writes(registry, 20, settle);
  expect((await first).value).toMatchObject({ type: "ADDED" });
  await expect(events.next()).rejects.toMatchObject({ reason: "Expired" });
});

test("a busy kind does not push another kind's history out", async () => {
  const { registry, settle } = await openTestRegistry({ historyLimit: 4 });
  const resourceVersion = registry.revision;
  const gizmo = { apiVersion: "test.example/v1", kind: "Gizmo", metadata: { name: "quiet" } };
  await registry.create("test.example/gizmos", "default", gizmo);
  await writes(registry, 50, settle);
  const events = registry.watch("test.example/gizmos", { resourceVersion })[Symbol.asyncIterator]();
  expect((await events.next()).value).toMatchObject({
    type: "ADDED",
    object: { metadata: { name: "quiet" } },
  });
  await events.return?.();
});

test("a watch from a revision yet to come waits for it", async () => {
  const { registry, settle } = await openTestRegistry();
  const resourceVersion = String(Number(registry.revision) + 2);
  const watch = registry.watch(widgets, { resourceVersion });
  const next = watch[Symbol.asyncIterator]().next();
  // A bookmark of what is older than that would send it back.
  watch.requestBookmark();
  await settle();
  await writes(registry, 3, settle);
  expect((await next).value).toMatchObject({
    object: { metadata: { resourceVersion: String(Number(resourceVersion) + 1) } },
  });
});

test("an aborted signal ends a watch that waits, and one that starts", async () => {
  const { registry } = await openTestRegistry();
  const controller = new AbortController();
  const options = { resourceVersion: registry.revision, signal: controller.signal };
  const waiting = registry.watch(widgets, options)[Symbol.asyncIterator]().next();
  controller.abort();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(await registry.watch(widgets, options)[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
});

/** Creates one widget and changes it until there were `count` writes. */
async function writes(
  registry: Awaited<ReturnType<typeof openTestRegistry>>["registry"],
  count: number,
  settle: () => Promise<void>,
): Promise<void> {
  const widget: KubeObject = { apiVersion: "test.example/v1", kind: "Widget", metadata: { name: "busy" } };
  await registry.create(widgets, "default", widget);
  for (let i = 1; i < count; i++) {
    const body = { status: { replicas: i } };
    const key = { namespace: "default", name: "busy" };
    await registry.patch(widgets, key, { type: "merge", body }, { subresource: "status" });
    await settle();
  }
}

test("what is younger than 75 seconds is kept beyond the 1024 that always are", async () => {
  let elapsed = 0;
  const clock = { now: () => 0, elapsed: () => elapsed, sleep: () => new Promise<void>(() => {}) };
  const { registry, settle } = await openTestRegistry({ clock });
  const { revision } = registry;
  await writes(registry, 3000, async () => {});
  await settle();
  const first = async () =>
    (await registry.watch(widgets, { resourceVersion: revision })[Symbol.asyncIterator]().next()).value;
  expect(await first()).toMatchObject({ type: "ADDED" });
  elapsed = 76_000;
  const body = { status: { replicas: 9999 } };
  const key = { namespace: "default", name: "busy" };
  await registry.patch(widgets, key, { type: "merge", body }, { subresource: "status" });
  await settle();
  await expect(first()).rejects.toMatchObject({ reason: "Expired" });
});

test("a bookmark comes when all that was told has been delivered, and a watch can go on from it", async () => {
  const { registry, settle } = await openTestRegistry();
  const watch = registry.watch(widgets, { resourceVersion: registry.revision });
  const events = watch[Symbol.asyncIterator]();
  await writes(registry, 2, settle);
  watch.requestBookmark();
  expect((await events.next()).value).toMatchObject({ type: "ADDED" });
  expect((await events.next()).value).toMatchObject({ type: "MODIFIED" });
  const told = { type: "BOOKMARK", resourceVersion: registry.revision };
  expect((await events.next()).value).toEqual(told);
  const waiting = events.next();
  watch.requestBookmark();
  expect((await waiting).value).toEqual(told);
});

test("what leaves a field selector is DELETED as it last was, at the revision at which it left", async () => {
  const { registry, settle } = await openTestRegistry();
  const { revision: resourceVersion } = registry;
  const widget = { apiVersion: "test.example/v1", kind: "Widget", metadata: { name: "a" } };
  await registry.create(widgets, "default", { ...widget, spec: { color: "red" } });
  const key = { namespace: "default", name: "a" };
  await registry.patch(widgets, key, { type: "merge", body: { spec: { color: "blue" } } });
  await settle();
  const options = { resourceVersion, fieldSelector: "spec.color=red" };
  const events = registry.watch(widgets, options)[Symbol.asyncIterator]();
  expect((await events.next()).value).toMatchObject({ type: "ADDED" });
  expect((await events.next()).value).toMatchObject({
    type: "DELETED",
    object: { metadata: { resourceVersion: registry.revision }, spec: { color: "red" } },
  });
});

test("a watch tells all and ends when the definition of its kind changes, not when only its status does", async () => {
  const { registry, settle } = await openTestRegistry();
  const events = registry.watch(widgets, { resourceVersion: registry.revision })[Symbol.asyncIterator]();
  await writes(registry, 2, settle);
  const definitions = "apiextensions.k8s.io/customresourcedefinitions";
  const key = { namespace: "", name: "widgets.test.example" };
  const patch = (body: object, subresource?: "status") =>
    registry.patch(definitions, key, { type: "merge", body }, { subresource });
  await patch({ metadata: { labels: { a: "b" } } });
  await settle();
  expect((await events.next()).value).toMatchObject({ type: "ADDED" });
  expect((await events.next()).value).toMatchObject({ type: "MODIFIED" });
  const waiting = events.next();
  await patch({ spec: { names: { categories: ["all"] } } });
  await settle();
  expect(await waiting).toEqual({ done: true, value: undefined });

  const later = registry.watch(widgets, { resourceVersion: registry.revision })[Symbol.asyncIterator]();
  await registry.patch(
    widgets,
    { namespace: "default", name: "busy" },
    { type: "merge", body: { spec: { size: 9 } } },
  );
  await settle();
  expect((await later.next()).value).toMatchObject({ type: "MODIFIED", object: { spec: { size: 9 } } });
});

test("what a new server does to come into being is nobody's history: whoever asks for it is told that it is gone", async () => {
  const { registry, settle } = await openTestRegistry();
  const { revision } = registry;
  const early = registry.watch("namespaces", { resourceVersion: revision });
  await settle();
  for (const resource of ["namespaces", widgets, "apiextensions.k8s.io/customresourcedefinitions"]) {
    for (let before = 0; before < Number(revision); before++) {
      const watch = registry.watch(resource, { resourceVersion: String(before) });
      await expect(namesUntilBookmark(watch)).rejects.toMatchObject({ reason: "Expired" });
    }
    const exact = { resourceVersion: String(Number(revision) - 1), resourceVersionMatch: "Exact" } as const;
    await expect(registry.list(resource, exact)).rejects.toMatchObject({ reason: "Expired" });
  }
  const later = { apiVersion: "v1", kind: "Namespace", metadata: { name: "later" } };
  await registry.create("namespaces", "", later);
  await settle();
  for (const watch of [early, registry.watch("namespaces", { resourceVersion: revision })])
    expect(await namesUntilBookmark(watch)).toEqual(["later"]);
});

async function namesUntilBookmark(watch: Watch): Promise<string[]> {
  return (await toldUntilBookmark(watch)).map(({ metadata }) => metadata.name);
}

async function revisionsUntilBookmark(watch: Watch): Promise<string[]> {
  return (await toldUntilBookmark(watch)).map(({ metadata }) => metadata.resourceVersion ?? "");
}

/** All that a watch has to tell by now. */
async function toldUntilBookmark(watch: Watch): Promise<KubeObject[]> {
  const told: KubeObject[] = [];
  watch.requestBookmark();
  for await (const event of watch) {
    if (event.type === "BOOKMARK") break;
    told.push(event.object);
  }
  return told;
}
