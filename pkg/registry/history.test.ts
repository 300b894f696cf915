import { expect, test } from "vitest";
import type { KubeObject } from "../api/meta.ts";
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
  const next = registry.watch(widgets, { resourceVersion })[Symbol.asyncIterator]().next();
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
