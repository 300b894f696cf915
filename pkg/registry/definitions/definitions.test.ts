import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/meta.ts";
import { MemoryStorage } from "../../storage/memory.ts";
import { definitionResource } from "../builtin/definition.ts";
import type { Registry } from "../registry.ts";
import { openTestRegistry } from "../testing/registry.ts";
import type { CustomResourceDefinition } from "./definition.ts";
import { compareVersions } from "./version-order.ts";

const definitions = definitionResource.id;
const boats = "port.example/boats";

describe("a definition that the server was started with", () => {
  test("is seen as established, and makes no write when nothing changed", async () => {
    const storage = new MemoryStorage();
    const { registry } = await openTestRegistry({ storage });
    const seen = await get(registry, "widgets.test.example");
    expect(conditions(seen)).toEqual({ NamesAccepted: "True", Established: "True" });
    expect(seen.status).toMatchObject({
      acceptedNames: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      storedVersions: ["v1"],
    });
    const again = await openTestRegistry({ storage });
    expect(again.registry.revision).toBe(registry.revision);
  });

  test("becomes what the next start is given", async () => {
    const storage = new MemoryStorage();
    const before = boat();
    const annotated = { ...before, metadata: { ...before.metadata, annotations: { "a.example/b": "c" } } };
    const first = await openTestRegistry({ storage, crds: [annotated] });
    await first.registry.create(boats, "default", boatObject("a"));
    const second = await openTestRegistry({
      storage,
      crds: [boat({ mast: { type: "string", default: "oak" } })],
    });
    const seen = await get(second.registry, "boats.port.example");
    expect(seen.metadata).toMatchObject({ generation: 2 });
    expect(seen.metadata.annotations).toBeUndefined();
    expect((await second.registry.list(boats)).items).toMatchObject([{ spec: { mast: "oak" } }]);
  });

  test("may not be deleted", async () => {
    const { registry } = await openTestRegistry();
    await expect(registry.delete(definitions, at("widgets.test.example"))).rejects.toMatchObject({
      code: 403,
    });
  });
});

describe("a definition made at run time", () => {
  test("is established in later turns, and then served", async () => {
    const { registry, settle } = await openTestRegistry();
    const created = await define(registry, boat());
    expect(created.status).toEqual({
      conditions: null,
      acceptedNames: { plural: "", kind: "" },
      storedVersions: ["v1"],
    });
    expect(created.spec).toMatchObject({
      names: { singular: "boat", listKind: "BoatList" },
      conversion: { strategy: "None" },
    });
    expect(registry.resourceFor({ kind: "Boat" })).toBeUndefined();
    await settle();
    expect(conditions(await get(registry, "boats.port.example"))).toEqual({
      NamesAccepted: "True",
      Established: "True",
    });
    const made = await registry.create(boats, "default", boatObject("a", { oars: 2, wings: 1 }));
    expect(made.spec).toEqual({ oars: 2, color: "white" });
  });

  test("is there after a restart, with its objects", async () => {
    const storage = new MemoryStorage();
    const { registry, settle } = await openTestRegistry({ storage });
    await define(registry, boat());
    await settle();
    await registry.create(boats, "default", boatObject("a"));
    const again = await openTestRegistry({ storage });
    expect((await again.registry.list(boats)).items.map(({ metadata }) => metadata.name)).toEqual(["a"]);
  });

  test("takes effect anew when its schema changes, for stored objects too", async () => {
    const { registry, settle } = await openTestRegistry();
    await define(registry, boat());
    await settle();
    await registry.create(boats, "default", boatObject("a"));
    const wider = boat({ mast: { type: "string", default: "oak" } });
    const { metadata } = await get(registry, "boats.port.example");
    const next = await registry.update(definitions, at("boats.port.example"), { ...wider, metadata });
    expect(next.metadata.generation).toBe(2);
    expect((await registry.get(boats, { namespace: "default", name: "a" })).spec).toEqual({
      color: "white",
      mast: "oak",
    });
    const made = await registry.create(boats, "default", boatObject("b", { mast: "pine" }));
    expect(made.spec).toMatchObject({ mast: "pine" });
  });

  test("waits for names that another has, and takes them when they are free", async () => {
    const { registry, settle } = await openTestRegistry();
    await define(registry, boat());
    await settle();
    const rival = boat();
    rival.metadata = { name: "vessels.port.example" };
    rival.spec.names = { plural: "vessels", singular: "vessel", kind: "Boat", shortNames: ["bt"] };
    await define(registry, rival);
    await settle();
    expect((await get(registry, "vessels.port.example")).status).toMatchObject({
      acceptedNames: { plural: "vessels", singular: "vessel", kind: "" },
      conditions: [
        {
          type: "NamesAccepted",
          status: "False",
          reason: "ListKindConflict",
          message: '"BoatList" is already in use',
        },
        {
          type: "Established",
          status: "False",
          reason: "NotAccepted",
          message: "not all names are accepted",
        },
      ],
    });
    expect(registry.resourceFor({ plural: "vessels" })).toBeUndefined();
    await registry.delete(definitions, at("boats.port.example"));
    await settle();
    expect(conditions(await get(registry, "vessels.port.example"))).toEqual({
      NamesAccepted: "True",
      Established: "True",
    });
    expect(registry.resourceFor({ plural: "vessels" })?.kind).toBe("Boat");
  });

  test("goes with its objects, and takes no new ones meanwhile", async () => {
    const { registry, settle } = await openTestRegistry();
    await define(registry, boat());
    await settle();
    const held = boatObject("a");
    held.metadata.finalizers = ["port.example/hold"];
    await registry.create(boats, "default", held);
    await registry.create(boats, "kube-public", boatObject("b"));
    await registry.delete(definitions, at("boats.port.example"));
    await settle();
    await expect(registry.create(boats, "default", boatObject("c"))).rejects.toMatchObject({
      code: 403,
      message:
        'boats.port.example "c" is forbidden: create not allowed while custom resource definition is terminating',
    });
    expect(conditions(await get(registry, "boats.port.example"))).toMatchObject({ Terminating: "True" });
    expect((await registry.list(boats)).items).toHaveLength(1);
    const free = { metadata: { finalizers: null } };
    await registry.patch(boats, { namespace: "default", name: "a" }, { type: "merge", body: free });
    await settle();
    await expect(get(registry, "boats.port.example")).rejects.toMatchObject({ code: 404 });
    expect(registry.resourceById(boats)).toBeUndefined();
  });

  test("ends the watches of its objects when it goes, after the last event", async () => {
    const { registry, settle } = await openTestRegistry();
    await define(registry, boat());
    await settle();
    const { resourceVersion } = (await registry.list(boats)).metadata;
    await registry.create(boats, "default", boatObject("a"));
    const events: string[] = [];
    const watching = (async () => {
      for await (const event of registry.watch(boats, { resourceVersion })) events.push(event.type);
    })();
    await registry.delete(definitions, at("boats.port.example"));
    await settle();
    await watching;
    expect(events).toEqual(["ADDED", "DELETED"]);
  });

  test("ends the watches of its objects when it changes, though none of those does", async () => {
    const { registry, settle } = await openTestRegistry();
    await define(registry, boat());
    await settle();
    await registry.create(boats, "default", boatObject("a"));
    await settle();
    const { resourceVersion } = (await registry.list(boats)).metadata;
    let ended = false;
    const watching = registry.watch(boats, { resourceVersion })[Symbol.asyncIterator]().next();
    void watching.then(({ done }) => {
      ended = done === true;
    });
    await settle();
    const { spec } = boat({ mast: { type: "string" } });
    await registry.patch(definitions, at("boats.port.example"), { type: "merge", body: { spec } });
    await settle();
    expect(ended).toBe(true);
  });
});

describe("several versions", () => {
  test("show the same objects, each by its own schema", async () => {
    const { registry, settle } = await openTestRegistry();
    await define(registry, twoVersions());
    await settle();
    const [v2, v1] = registry.definitions().filter(({ group }) => group === "port.example");
    expect([v2?.version, v1?.version]).toEqual(["v2", "v1beta1"]);
    const old = { ...boatObject("a", { oars: 2 }), apiVersion: "port.example/v1beta1" };
    expect(await registry.create(v1?.id ?? "", "default", old)).toMatchObject({
      apiVersion: "port.example/v1beta1",
      spec: { oars: 2, color: "white" },
    });
    const key = { namespace: "default", name: "a" };
    expect(await registry.get(v2?.id ?? "", key)).toMatchObject({
      apiVersion: "port.example/v2",
      spec: { oars: 2, mast: "oak" },
    });
    const body = { spec: { mast: "pine" } };
    await registry.patch(v2?.id ?? "", key, { type: "merge", body });
    const seen = await registry.get(v1?.id ?? "", key);
    expect(seen).toMatchObject({ apiVersion: "port.example/v1beta1", spec: { oars: 2 } });
    expect(seen.spec).not.toHaveProperty("mast");
    expect((await registry.list(v1?.id ?? "")).items).toEqual([seen]);
  });

  test("go with their namespace, even when none is served as it is stored", async () => {
    const { registry, settle } = await openTestRegistry();
    const definition = twoVersions();
    for (const version of definition.spec.versions) version.served = version.name === "v1beta1";
    await define(registry, definition);
    await settle();
    const [served] = registry.definitions().filter(({ group }) => group === "port.example");
    await registry.create("namespaces", "", { metadata: { name: "team" } });
    await registry.create(served?.id ?? "", "team", {
      ...boatObject("a"),
      apiVersion: "port.example/v1beta1",
    });
    await registry.delete("namespaces", at("team"));
    await settle();
    await expect(registry.get("namespaces", at("team"))).rejects.toMatchObject({ code: 404 });
    expect((await registry.list(served?.id ?? "")).items).toEqual([]);
  });

  test("may change which of them is stored, and remember which was", async () => {
    const { registry, settle } = await openTestRegistry();
    await define(registry, twoVersions());
    await settle();
    await registry.create(boats, "default", { ...boatObject("a"), apiVersion: "port.example/v2" });
    const definition = structuredClone(await get(registry, "boats.port.example")) as Mutable;
    for (const version of definition.spec.versions) version.storage = !version.storage;
    await registry.update(definitions, at("boats.port.example"), definition);
    expect((await get(registry, "boats.port.example")).status.storedVersions).toEqual(["v2", "v1beta1"]);
    expect(await registry.get(boats, { namespace: "default", name: "a" })).toMatchObject({
      apiVersion: "port.example/v1beta1",
    });
    definition.metadata.resourceVersion = (await get(registry, "boats.port.example")).metadata
      .resourceVersion as string;
    definition.spec.versions = definition.spec.versions.filter(({ storage }) => storage);
    await expect(registry.update(definitions, at("boats.port.example"), definition)).rejects.toMatchObject({
      message: expect.stringContaining("v2 was previously a storage version"),
    });
  });

  test.each([
    [
      ["v1", "v10", "v2", "v1beta2", "v1beta10", "v3alpha1", "foo"],
      ["v10", "v2", "v1", "v1beta10", "v1beta2", "v3alpha1", "foo"],
    ],
  ])("%j are preferred in the order %j", (versions, wanted) => {
    expect(versions.toSorted(compareVersions)).toEqual(wanted);
  });
});

type Mutable = KubeObject & {
  metadata: { name: string; finalizers?: string[]; resourceVersion?: string };
  spec: { names: object; versions: ({ name: string; storage: boolean } & Record<string, unknown>)[] };
};

function boat(properties: object = {}): Mutable {
  const spec = {
    type: "object",
    default: {},
    properties: { oars: { type: "integer" }, color: { type: "string", default: "white" }, ...properties },
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "boats.port.example" },
    spec: {
      group: "port.example",
      scope: "Namespaced",
      names: { plural: "boats", kind: "Boat", shortNames: ["bt"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
        },
      ],
    } as Mutable["spec"],
  };
}

function twoVersions(): Mutable {
  const [old] = boat().spec.versions;
  const [young] = boat({ mast: { type: "string", default: "oak" } }).spec.versions;
  const definition = boat();
  definition.spec.versions = [
    { ...old, name: "v1beta1", storage: false },
    { ...young, name: "v2", storage: true },
  ];
  return definition;
}

function boatObject(name: string, spec: object = {}): KubeObject {
  return { apiVersion: "port.example/v1", kind: "Boat", metadata: { name }, spec };
}

function define(registry: Registry, definition: KubeObject): Promise<KubeObject> {
  return registry.create(definitions, "", definition);
}

async function get(registry: Registry, name: string): Promise<CustomResourceDefinition> {
  return (await registry.get(definitions, at(name))) as CustomResourceDefinition;
}

function conditions({ status }: CustomResourceDefinition): Record<string, string> {
  return Object.fromEntries((status.conditions ?? []).map((condition) => [condition.type, condition.status]));
}

function at(name: string) {
  return { namespace: "", name };
}
