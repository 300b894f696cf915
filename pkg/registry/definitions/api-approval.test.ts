import { expect, test } from "vitest";
import type { KubeObject } from "../../api/meta.ts";
import { definitionResource } from "../builtin/definition.ts";
import type { Registry } from "../registry.ts";
import { openTestRegistry } from "../testing/registry.ts";

const name = "boats.port.k8s.io";
const key = { namespace: "", name };
const field = "metadata.annotations[api-approved.kubernetes.io]";
const must = 'protected groups must have approval annotation "api-approved.kubernetes.io"';

test.each([
  [undefined, `${field}: Required value: ${must}, see`],
  ["soon", `${field}: Invalid value: "soon": ${must} with either a URL or a reason`],
])("a definition in a group of Kubernetes' own is refused with the approval %j", async (said, why) => {
  const { registry } = await openTestRegistry();
  await expect(create(registry, said)).rejects.toThrow(why);
});

test.each([
  ["unapproved, a test", { status: "False", reason: "UnapprovedAnnotation" }],
  ["https://a.example/1", { status: "True", message: "approved in https://a.example/1" }],
])(
  "a definition in a group of Kubernetes' own tells in a condition of the approval %j",
  async (said, want) => {
    const { registry, settle } = await openTestRegistry();
    await create(registry, said);
    await settle();
    expect(await conditions(registry)).toContainEqual(expect.objectContaining(want));
  },
);

test("an approval that stays as it was is not judged", async () => {
  const { registry } = await openTestRegistry();
  await create(registry, "unapproved, a test");
  const before = await registry.get(definitionResource.id, key);
  const changed = { ...before, spec: { ...(before.spec as object), preserveUnknownFields: false } };
  await registry.update(definitionResource.id, key, changed);
  const bare = { ...changed, metadata: { ...changed.metadata, annotations: {} } };
  await expect(registry.update(definitionResource.id, key, bare)).rejects.toThrow(`${field}: Required value`);
});

function create(registry: Registry, approval: string | undefined): Promise<KubeObject> {
  const schema = { openAPIV3Schema: { type: "object" } };
  return registry.create(definitionResource.id, "", {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name,
      ...(approval === undefined ? {} : { annotations: { "api-approved.kubernetes.io": approval } }),
    },
    spec: {
      group: "port.k8s.io",
      scope: "Namespaced",
      names: { plural: "boats", kind: "Boat" },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  });
}

async function conditions(registry: Registry): Promise<unknown> {
  const { status } = (await registry.get(definitionResource.id, key)) as {
    status?: { conditions?: unknown };
  };
  return status?.conditions ?? [];
}
