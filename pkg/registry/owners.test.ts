import { describe, expect, test } from "vitest";
import type { KubeObject, ManagedFieldsEntry } from "../api/meta.ts";
import type { Registry } from "./registry.ts";
import { openTestRegistry } from "./testing/registry.ts";

const widgets = "test.example/widgets";
const key = { namespace: "default", name: "w" };

function widget(spec: object, metadata: object = {}): object {
  return { apiVersion: "test.example/v1", kind: "Widget", metadata: { name: "w", ...metadata }, spec };
}

/** A registry whose clock counts a second a look, with the Widget `w` in it. */
async function withWidget(spec: object): Promise<Registry> {
  let seconds = 0;
  const { registry } = await openTestRegistry({
    clock: { now: () => ++seconds * 1000, elapsed: () => 0, sleep: () => new Promise(() => {}) },
  });
  await registry.create(widgets, "default", widget(spec), { fieldManager: "creator" });
  return registry;
}

function merge(registry: Registry, body: object, fieldManager: string): Promise<KubeObject> {
  return registry.patch(widgets, key, { type: "merge", body }, { fieldManager });
}

/** What each owner has, `manager[/subresource]: fields`. */
function owners({ metadata: { managedFields = [] } }: KubeObject): Record<string, unknown> {
  return Object.fromEntries(
    managedFields.map(({ manager, subresource, fieldsV1 }) => [
      subresource === undefined ? manager : `${manager}/${subresource}`,
      fieldsV1,
    ]),
  );
}

const defaults = { "f:color": {}, "f:replicas": {}, "f:size": {} };

describe("who writes a field owns it", () => {
  test("who creates owns all, defaults too, and what holds it", async () => {
    const registry = await withWidget({ tags: ["a"], parts: [{ name: "p" }] });
    expect((await registry.get(widgets, key)).metadata.managedFields).toEqual([
      {
        apiVersion: "test.example/v1",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:spec": {
            ".": {},
            ...defaults,
            "f:parts": { ".": {}, 'k:{"name":"p"}': { ".": {}, "f:name": {}, "f:quantity": {} } },
            "f:tags": { ".": {}, 'v:"a"': {} },
          },
        },
        manager: "creator",
        operation: "Update",
        time: expect.stringMatching(/^1970-01-01T00:00:\d\dZ$/),
      },
    ]);
  });

  test("who changes takes over what it changes, and no more", async () => {
    const registry = await withWidget({ note: "a" });
    expect(owners(await merge(registry, { spec: { note: "b", size: 5 } }, "other"))).toEqual({
      creator: { "f:spec": { ".": {}, ...defaults } },
      other: { "f:spec": { "f:note": {} } },
    });
  });

  test("nobody owns what is gone", async () => {
    const registry = await withWidget({ note: "a", tags: ["a", "b"] });
    expect(owners(await merge(registry, { spec: { note: null, tags: ["b"] } }, "other"))).toEqual({
      creator: { "f:spec": { ".": {}, ...defaults, "f:tags": { ".": {}, 'v:"b"': {} } } },
    });
  });

  test("who writes twice has one entry", async () => {
    const registry = await withWidget({});
    await merge(registry, { spec: { note: "a" } }, "other");
    const after = await merge(registry, { metadata: { labels: { l: "1" } } }, "other");
    expect(owners(after).other).toEqual({
      "f:metadata": { "f:labels": { ".": {}, "f:l": {} } },
      "f:spec": { "f:note": {} },
    });
  });

  test("a status is another's than the spec, be it the same writer's", async () => {
    const registry = await withWidget({});
    const body = { metadata: { labels: { l: "1" } }, spec: { size: 7 }, status: { phase: "Up" } };
    const options = { fieldManager: "creator", subresource: "status" } as const;
    const after = await registry.patch(widgets, key, { type: "merge", body }, options);
    expect(owners(after)).toEqual({
      creator: { "f:spec": { ".": {}, ...defaults } },
      "creator/status": { "f:status": { ".": {}, "f:phase": {} } },
    });
  });

  test("a scale of owned replicas is owned apart from the rest, without a time", async () => {
    const registry = await withWidget({});
    const options = { fieldManager: "scaler", subresource: "scale" } as const;
    await registry.patch(widgets, key, { type: "merge", body: { spec: { replicas: 3 } } }, options);
    const scaled = await registry.get(widgets, key);
    expect(owners(scaled)).toEqual({
      "scaler/scale": { "f:spec": { "f:replicas": {} } },
      creator: { "f:spec": { ".": {}, "f:color": {}, "f:size": {} } },
    });
    expect(scaled.metadata.managedFields?.map(({ time }) => time === undefined)).toEqual([true, false]);
  });

  test("a scale to nothing is nobody's, as it is said by silence", async () => {
    const registry = await withWidget({});
    const options = { fieldManager: "scaler", subresource: "scale" } as const;
    await registry.patch(widgets, key, { type: "merge", body: { spec: { replicas: 0 } } }, options);
    expect(owners(await registry.get(widgets, key))).toEqual({
      creator: { "f:spec": { ".": {}, "f:color": {}, "f:size": {} } },
    });
  });

  test("more than ten updaters are not told apart: the oldest become one", async () => {
    const registry = await withWidget({});
    let last: KubeObject | undefined;
    for (let i = 0; i < 12; i++) last = await merge(registry, { spec: { note: `${i}` } }, `m${i}`);
    const labelled = [...Array(11).keys()];
    for (const i of labelled)
      last = await merge(registry, { metadata: { labels: { [`l${i}`]: "1" } } }, `n${i}`);
    const managers = (last?.metadata.managedFields ?? []).map(({ manager }) => manager);
    expect(managers).toHaveLength(10);
    expect(managers[0]).toBe("ancient-changes");
    // What the oldest owned is theirs together.
    const owned = Object.values(owners(last as KubeObject)).flatMap((fields) =>
      Object.keys((fields as { "f:metadata"?: { "f:labels"?: object } })["f:metadata"]?.["f:labels"] ?? {}),
    );
    expect(owned).toEqual(expect.arrayContaining(labelled.map((i) => `f:l${i}`)));
  });
});

describe("a write that changes nothing", () => {
  test("leaves the owners and the revision", async () => {
    const registry = await withWidget({ note: "a" });
    const before = await registry.get(widgets, key);
    expect(await merge(registry, { spec: { note: "a" } }, "other")).toBe(before);
  });
});

describe("a client that sets managedFields itself", () => {
  const entry: ManagedFieldsEntry = {
    apiVersion: "test.example/v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:spec": { "f:size": {} } },
    manager: "made-up",
    operation: "Apply",
  };

  async function replaceOwners(managedFields: unknown): Promise<KubeObject> {
    const registry = await withWidget({});
    const operations = [{ op: "replace", path: "/metadata/managedFields", value: managedFields }];
    return registry.patch(widgets, key, { type: "json", body: operations }, { fieldManager: "other" });
  }

  test("has its way", async () => {
    expect((await replaceOwners([entry])).metadata.managedFields).toEqual([entry]);
  });

  test.each([
    ["an unknown operation", { ...entry, operation: "Delete" }],
    ["no apiVersion", { ...entry, apiVersion: "" }],
    ["an unknown type of fields", { ...entry, fieldsType: "FieldsV2" }],
    ["an element that is none", { ...entry, fieldsV1: { x: {} } }],
    ["keys that are no JSON", { ...entry, fieldsV1: { "k:{": {} } }],
  ])("with %s is taken for one that knows nothing of it", async (_what, broken) => {
    expect(owners(await replaceOwners([broken]))).toEqual({
      creator: { "f:spec": { ".": {}, ...defaults } },
    });
  });

  test("may not give an owner a name that no writer can have", async () => {
    const refused = replaceOwners([{ ...entry, manager: "x".repeat(129) }]);
    await expect(refused).rejects.toMatchObject({
      code: 422,
      details: {
        causes: expect.arrayContaining([
          expect.objectContaining({ field: "metadata.managedFields[0].manager" }),
        ]),
      },
    });
  });

  test("with one empty entry has all forgotten, and nothing is tracked from then on", async () => {
    const registry = await withWidget({});
    const operations = [{ op: "replace", path: "/metadata/managedFields", value: [{}] }];
    const reset = await registry.patch(widgets, key, { type: "json", body: operations });
    expect(reset.metadata.managedFields).toBeUndefined();
    expect((await merge(registry, { spec: { size: 8 } }, "other")).metadata.managedFields).toBeUndefined();
  });

  test("as a status cannot", async () => {
    const registry = await withWidget({});
    const body = { metadata: { managedFields: [entry] }, status: { phase: "Up" } };
    const options = { fieldManager: "s", subresource: "status" } as const;
    expect(Object.keys(owners(await registry.patch(widgets, key, { type: "merge", body }, options)))).toEqual(
      ["creator", "s/status"],
    );
  });
});

test("who deletes an object with finalizers owns nothing of it", async () => {
  const registry = await withWidget({});
  await merge(registry, { metadata: { finalizers: ["test.example/keep"] } }, "keeper");
  await registry.delete(widgets, key);
  expect(owners(await registry.get(widgets, key)).keeper).toEqual({
    "f:metadata": { "f:finalizers": { ".": {}, 'v:"test.example/keep"': {} } },
  });
});
