import { expect, test } from "vitest";
import type { KubeObject, OwnerReference } from "../api/meta.ts";
import { MemoryStorage } from "../storage/memory.ts";
import type { Registry } from "./registry.ts";
import { openTestRegistry } from "./testing/registry.ts";

const widgets = "test.example/widgets";
const gizmos = "test.example/gizmos";

test("a chain of owned objects goes when its head goes", async () => {
  const { registry, settle } = await openTestRegistry();
  const head = await registry.create(widgets, "default", widget("head"));
  const middle = await registry.create(widgets, "default", widget("middle", [ownerOf(head)]));
  await registry.create(gizmos, "default", gizmo("tail", [ownerOf(middle)]));
  await registry.delete(widgets, key("head"));
  await settle();
  expect(await names(registry)).toEqual([]);
});

test("an object with another owner stays and forgets the one that is gone", async () => {
  const { registry, settle } = await openTestRegistry();
  const one = await registry.create(widgets, "default", widget("one"));
  const two = await registry.create(widgets, "default", widget("two"));
  await registry.create(gizmos, "default", gizmo("owned", [ownerOf(one), ownerOf(two)]));
  await registry.delete(widgets, key("one"));
  await settle();
  expect((await registry.get(gizmos, key("owned"))).metadata.ownerReferences).toEqual([ownerOf(two)]);
});

test("an owner that is held by a finalizer still owns", async () => {
  const { registry, settle } = await openTestRegistry();
  const draft = widget("held");
  const held = await registry.create(widgets, "default", {
    ...draft,
    metadata: { name: "held", finalizers: ["test.example/hold"] },
  });
  await registry.create(gizmos, "default", gizmo("owned", [ownerOf(held)]));
  await registry.delete(widgets, key("held"));
  await settle();
  expect(await names(registry)).toEqual(["held", "owned"]);
  await registry.patch(widgets, key("held"), { type: "merge", body: { metadata: { finalizers: [] } } });
  await settle();
  expect(await names(registry)).toEqual([]);
});

test("a new object of the same name is not the owner", async () => {
  const { registry, settle } = await openTestRegistry();
  const first = await registry.create(widgets, "default", widget("a"));
  await registry.create(gizmos, "default", gizmo("owned", [ownerOf(first)]));
  await registry.delete(widgets, key("a"));
  await registry.create(widgets, "default", widget("a"));
  await settle();
  expect(await names(registry)).toEqual(["a"]);
});

test("an object created for an owner that is already gone goes too", async () => {
  const { registry, settle } = await openTestRegistry();
  const owner = await registry.create(widgets, "default", widget("a"));
  await registry.delete(widgets, key("a"));
  await registry.create(gizmos, "default", gizmo("late", [ownerOf(owner)]));
  await settle();
  expect(await names(registry)).toEqual([]);
});

test("an owner of a kind that is not served is unknown, and unknown is not gone", async () => {
  const { registry, settle } = await openTestRegistry();
  const stranger = { apiVersion: "apps/v1", kind: "Deployment", name: "d", uid: "some-uid" };
  await registry.create(gizmos, "default", gizmo("owned", [stranger]));
  await settle();
  expect(await names(registry)).toEqual(["owned"]);
});

test("a crash between an owner's deletion and its dependents' is made up for at the next start", async () => {
  const storage = new MemoryStorage();
  const before = await openTestRegistry({ storage, defer: () => {} });
  const owner = await before.registry.create(widgets, "default", widget("a"));
  await before.registry.create(gizmos, "default", gizmo("owned", [ownerOf(owner)]));
  await before.registry.delete(widgets, key("a"));

  const { registry, settle } = await openTestRegistry({ storage });
  await settle();
  expect(await names(registry)).toEqual([]);
});

async function names(registry: Registry): Promise<string[]> {
  const lists = await Promise.all([registry.list(widgets), registry.list(gizmos)]);
  return lists.flatMap((list) => list.items.map((item) => item.metadata.name));
}

function ownerOf(object: KubeObject): OwnerReference {
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "" };
}

function widget(name: string, ownerReferences: OwnerReference[] = []): KubeObject {
  return { apiVersion: "test.example/v1", kind: "Widget", metadata: { name, ownerReferences } };
}

function gizmo(name: string, ownerReferences: OwnerReference[] = []): KubeObject {
  return { apiVersion: "test.example/v1", kind: "Gizmo", metadata: { name, ownerReferences } };
}

function key(name: string) {
  return { namespace: "default", name };
}
