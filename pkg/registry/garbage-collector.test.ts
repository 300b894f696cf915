import { describe, expect, test } from "vitest";
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

describe("foreground deletion", () => {
  test("an owner waits for the dependents that block it, and for theirs", async () => {
    const { registry, settle } = await openTestRegistry();
    const head = await registry.create(widgets, "default", widget("head"));
    const middle = await registry.create(widgets, "default", widget("middle", [blocking(head)]));
    const tail = gizmo("tail", [blocking(middle)]);
    const held = { ...tail, metadata: { ...tail.metadata, finalizers: ["test.example/hold"] } };
    await registry.create(gizmos, "default", held);
    await registry.delete(widgets, key("head"), { propagationPolicy: "Foreground" });
    await settle();
    expect(await names(registry)).toEqual(["head", "middle", "tail"]);
    const waiting = await registry.list(widgets);
    expect(waiting.items.map((item) => item.metadata.finalizers)).toEqual([
      ["foregroundDeletion"],
      ["foregroundDeletion"],
    ]);

    await registry.patch(gizmos, key("tail"), { type: "merge", body: { metadata: { finalizers: null } } });
    await settle();
    expect(await names(registry)).toEqual([]);
  });

  test("a dependent that does not block is deleted and not waited for", async () => {
    const { registry, settle } = await openTestRegistry();
    const head = await registry.create(widgets, "default", widget("head"));
    const tail = gizmo("tail", [ownerOf(head)]);
    const held = { ...tail, metadata: { ...tail.metadata, finalizers: ["test.example/hold"] } };
    await registry.create(gizmos, "default", held);
    await registry.delete(widgets, key("head"), { propagationPolicy: "Foreground" });
    await settle();
    expect(await names(registry)).toEqual(["tail"]);
    expect((await registry.get(gizmos, key("tail"))).metadata.deletionTimestamp).toBeDefined();
  });

  test("a dependent that does not block is deleted even when another finalizer keeps its owner", async () => {
    const { registry, settle } = await openTestRegistry();
    const draft = widget("a");
    const metadata = { ...draft.metadata, finalizers: ["test.example/hold"] };
    const owner = await registry.create(widgets, "default", { ...draft, metadata });
    await registry.create(gizmos, "default", gizmo("owned", [ownerOf(owner)]));
    await settle();
    await registry.delete(widgets, key("a"), { propagationPolicy: "Foreground" });
    await settle();
    expect(await names(registry)).toEqual(["a"]);
  });

  test("a dependent with another owner stays, and the one that goes is not held by it", async () => {
    const { registry, settle } = await openTestRegistry();
    const one = await registry.create(widgets, "default", widget("one"));
    const two = await registry.create(widgets, "default", widget("two"));
    await registry.create(gizmos, "default", gizmo("owned", [blocking(one), ownerOf(two)]));
    await registry.delete(widgets, key("one"), { propagationPolicy: "Foreground" });
    await settle();
    expect(await names(registry)).toEqual(["two", "owned"]);
    expect((await registry.get(gizmos, key("owned"))).metadata.ownerReferences).toEqual([ownerOf(two)]);
  });

  test("objects that own each other go", async () => {
    const { registry, settle } = await openTestRegistry();
    const one = await registry.create(widgets, "default", widget("one"));
    const two = await registry.create(widgets, "default", widget("two", [blocking(one)]));
    const body = { metadata: { ownerReferences: [blocking(two)] } };
    await registry.patch(widgets, key("one"), { type: "merge", body });
    await registry.delete(widgets, key("one"), { propagationPolicy: "Foreground" });
    await settle();
    expect(await names(registry)).toEqual([]);
  });

  test("an owner without dependents goes at once", async () => {
    const { registry, settle } = await openTestRegistry();
    await registry.create(widgets, "default", widget("a"));
    await registry.delete(widgets, key("a"), { propagationPolicy: "Foreground" });
    await settle();
    expect(await names(registry)).toEqual([]);
  });
});

test("orphans forget their owner and stay", async () => {
  const { registry, settle } = await openTestRegistry();
  const owner = await registry.create(widgets, "default", widget("owner"));
  const other = await registry.create(widgets, "default", widget("other"));
  await registry.create(gizmos, "default", gizmo("one", [ownerOf(owner)]));
  await registry.create(gizmos, "default", gizmo("two", [ownerOf(owner), ownerOf(other)]));
  await registry.delete(widgets, key("owner"), { propagationPolicy: "Orphan" });
  await settle();
  expect(await names(registry)).toEqual(["other", "one", "two"]);
  const left = await registry.list(gizmos);
  expect(left.items.map((item) => item.metadata.ownerReferences)).toEqual([undefined, [ownerOf(other)]]);
});

test("an object that is asked to go again, in another way, has begun to go when it was asked first", async () => {
  let nowMs = Date.UTC(2026, 0, 2);
  const clock = { now: () => nowMs, elapsed: () => 0, sleep: () => new Promise<void>(() => {}) };
  const { registry } = await openTestRegistry({ clock });
  const draft = widget("a");
  const metadata = { ...draft.metadata, finalizers: ["test.example/hold"] };
  await registry.create(widgets, "default", { ...draft, metadata });
  const { object: first } = await registry.delete(widgets, key("a"), { propagationPolicy: "Orphan" });
  nowMs += 60_000;
  const { object: again } = await registry.delete(widgets, key("a"), { propagationPolicy: "Foreground" });
  expect(again.metadata.finalizers).toEqual(["test.example/hold", "foregroundDeletion"]);
  const { deletionTimestamp, generation } = first.metadata;
  expect(again.metadata).toMatchObject({ deletionTimestamp, generation });
});

test("a finalizer that was put on before decides how dependents are deleted", async () => {
  const { registry, settle } = await openTestRegistry();
  const draft = widget("owner");
  const metadata = { ...draft.metadata, finalizers: ["orphan"] };
  const owner = await registry.create(widgets, "default", { ...draft, metadata });
  await registry.create(gizmos, "default", gizmo("owned", [ownerOf(owner)]));
  await registry.delete(widgets, key("owner"));
  await settle();
  expect(await names(registry)).toEqual(["owned"]);
});

test("without a collector objects wait for one", async () => {
  const { registry, settle } = await openTestRegistry({ collectGarbage: false });
  const owner = await registry.create(widgets, "default", widget("owner"));
  await registry.create(gizmos, "default", gizmo("owned", [blocking(owner)]));
  await registry.delete(widgets, key("owner"), { propagationPolicy: "Foreground" });
  await settle();
  expect(await names(registry)).toEqual(["owner", "owned"]);
});

test("what waited at a crash is done at the next start", async () => {
  const storage = new MemoryStorage();
  const before = await openTestRegistry({ storage, defer: () => {} });
  const owner = await before.registry.create(widgets, "default", widget("a"));
  await before.registry.create(gizmos, "default", gizmo("owned", [blocking(owner)]));
  await before.registry.delete(widgets, key("a"), { propagationPolicy: "Foreground" });

  const { registry, settle } = await openTestRegistry({ storage });
  await settle();
  expect(await names(registry)).toEqual([]);
});

test("an owner in another namespace is none, and an Event says so", async () => {
  const { registry, settle } = await openTestRegistry();
  const owner = await registry.create(widgets, "kube-public", widget("a"));
  await registry.create(gizmos, "default", gizmo("owned", [ownerOf(owner)]));
  await settle();
  expect((await registry.list(gizmos)).items).toEqual([]);
  const events = await registry.list("events");
  expect(events.items).toMatchObject([
    {
      metadata: { namespace: "default" },
      involvedObject: { kind: "Gizmo", name: "owned" },
      type: "Warning",
      reason: "OwnerRefInvalidNamespace",
      message: `ownerRef [test.example/v1/Widget, namespace: default, name: a, uid: ${owner.metadata.uid}] does not exist in namespace "default"`,
    },
  ]);
});

async function names(registry: Registry): Promise<string[]> {
  const lists = await Promise.all([registry.list(widgets), registry.list(gizmos)]);
  return lists.flatMap((list) => list.items.map((item) => item.metadata.name));
}

function ownerOf(object: KubeObject): OwnerReference {
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "" };
}

function blocking(object: KubeObject): OwnerReference {
  return { ...ownerOf(object), blockOwnerDeletion: true };
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
