import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/meta.ts";
import type { Registry } from "../registry.ts";
import { openTestRegistry } from "../testing/registry.ts";
import { namespaceResource } from "./namespace.ts";

const namespaces = namespaceResource.id;
const widgets = "test.example/widgets";

describe("a namespace", () => {
  test("is named by a label, and is Active with a finalizer for its content", async () => {
    const { registry } = await openTestRegistry();
    const created = await makeNamespace(registry, "team");
    expect(created).toMatchObject({
      metadata: { name: "team", labels: { "kubernetes.io/metadata.name": "team" } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
    expect(created.metadata.generation).toBeUndefined();
  });

  test.each([
    ["Team", "a lowercase RFC 1123 label must consist of"],
    ["a.b", "must not contain dots"],
    ["a".repeat(64), "must be no more than 63 bytes"],
  ])("is not named %s", async (name, why) => {
    const { registry } = await openTestRegistry();
    await expect(makeNamespace(registry, name)).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining(why),
    });
  });

  test.each<[object, string]>([
    [
      { metadata: { name: 5 } },
      "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string",
    ],
    [
      { metadata: [] },
      "json: cannot unmarshal array into Go struct field Namespace.metadata of type v1.ObjectMeta",
    ],
    [
      { kind: "Room" },
      'no kind "Room" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
  ])("is not made of %j", async (object, why) => {
    const { registry } = await openTestRegistry();
    await expect(registry.create(namespaces, "", object)).rejects.toMatchObject({
      code: 400,
      message: expect.stringContaining(why),
    });
  });

  test("need not be said to be one", async () => {
    const { registry } = await openTestRegistry();
    expect(await registry.create(namespaces, "", { metadata: { name: "team" } })).toMatchObject({
      kind: "Namespace",
    });
  });

  test("keeps finalizers and status from an update, and its name label from a patch", async () => {
    const { registry } = await openTestRegistry();
    await makeNamespace(registry, "team");
    const body = {
      metadata: { labels: { "kubernetes.io/metadata.name": "other", tier: "one" } },
      spec: { finalizers: [] },
      status: { phase: "Terminating" },
    };
    expect(await registry.patch(namespaces, at("team"), { type: "merge", body })).toMatchObject({
      metadata: { labels: { "kubernetes.io/metadata.name": "team", tier: "one" } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
  });

  test("that is not there takes no object", async () => {
    const { registry } = await openTestRegistry();
    await expect(registry.create(widgets, "nowhere", widget("a"))).rejects.toMatchObject({
      code: 404,
      message: 'namespaces "nowhere" not found',
    });
  });

  test.each(["default", "kube-system", "kube-public"])("%s may not be deleted", async (name) => {
    const { registry } = await openTestRegistry();
    await expect(registry.delete(namespaces, at(name))).rejects.toMatchObject({
      code: 403,
      message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
    });
  });

  test("goes with all that is in it", async () => {
    const { registry, settle } = await openTestRegistry();
    await makeNamespace(registry, "team");
    await registry.create(widgets, "team", widget("a"));
    await registry.create(widgets, "default", widget("a"));
    expect(await registry.delete(namespaces, at("team"))).toMatchObject({
      gone: false,
      object: { status: { phase: "Terminating" } },
    });
    await settle();
    await expect(registry.get(namespaces, at("team"))).rejects.toMatchObject({ code: 404 });
    expect((await registry.list(widgets)).items.map(({ metadata }) => metadata.namespace)).toEqual([
      "default",
    ]);
  });

  test("that is being emptied takes no new object, says what holds it, and goes when that is gone", async () => {
    const { registry, settle } = await openTestRegistry();
    await makeNamespace(registry, "team");
    await registry.create(widgets, "team", widget("a", ["test.example/hold"]));
    await registry.delete(namespaces, at("team"));
    await settle();
    await expect(registry.create(widgets, "team", widget("b"))).rejects.toMatchObject({
      code: 403,
      message:
        'widgets.test.example "b" is forbidden: unable to create new content in namespace team because it is being terminated',
      details: { causes: [{ reason: "NamespaceTerminating", field: "metadata.namespace" }] },
    });
    await expect(registry.delete(namespaces, at("team"))).rejects.toMatchObject({ code: 409 });
    const { status } = await registry.get(namespaces, at("team"));
    expect(status).toMatchObject({
      phase: "Terminating",
      conditions: expect.arrayContaining([
        expect.objectContaining({
          type: "NamespaceFinalizersRemaining",
          message:
            "Some content in the namespace has finalizers remaining: test.example/hold in 1 resource instances",
        }),
      ]),
    });
    const free = { metadata: { finalizers: null } };
    await registry.patch(widgets, { namespace: "team", name: "a" }, { type: "merge", body: free });
    await settle();
    await expect(registry.get(namespaces, at("team"))).rejects.toMatchObject({ code: 404 });
  });

  test("that is empty waits for whoever else holds it by a finalizer", async () => {
    const { registry, settle } = await openTestRegistry();
    const spec = { finalizers: ["test.example/hold", "kubernetes"] };
    await registry.create(namespaces, "", { metadata: { name: "team" }, spec });
    await registry.delete(namespaces, at("team"));
    await settle();
    expect(await registry.get(namespaces, at("team"))).toMatchObject({
      spec: { finalizers: ["test.example/hold"] },
    });
  });

  test("without a collector waits for /finalize", async () => {
    const { registry, settle } = await openTestRegistry({ collectGarbage: false });
    await makeNamespace(registry, "team");
    await registry.delete(namespaces, at("team"));
    await settle();
    const terminating = await registry.get(namespaces, at("team"));
    await registry.update(
      namespaces,
      at("team"),
      { ...terminating, spec: { finalizers: [] } },
      { subresource: "finalize" },
    );
    await expect(registry.get(namespaces, at("team"))).rejects.toMatchObject({ code: 404 });
  });
});

function makeNamespace(registry: Registry, name: string): Promise<KubeObject> {
  return registry.create(namespaces, "", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
}

function at(name: string) {
  return { namespace: "", name };
}

function widget(name: string, finalizers?: string[]): KubeObject {
  return {
    apiVersion: "test.example/v1",
    kind: "Widget",
    metadata: { name, ...(finalizers === undefined ? {} : { finalizers }) },
  };
}
