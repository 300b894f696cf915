import { expect, test } from "vitest";
import type { JsonObject } from "../../registry/json.ts";
import type { Resource } from "../../registry/resource.ts";
import { kindSchema, listSchema, schemaName } from "./kind-schema.ts";

/** As much of a Resource as schemas are made of. */
function resource(declaredSchema: JsonObject, own: Partial<Resource> = {}): Resource {
  const of = {
    group: "two.example.com",
    version: "v1",
    kind: "Thing",
    listKind: "ThingList",
    plural: "things",
  };
  return { ...of, declaredSchema, builtin: undefined, selectableFields: new Map(), ...own } as Resource;
}

test("a kind has its declared schema, and the fields that all objects have", () => {
  const schema = kindSchema(
    resource({
      type: "object",
      description: "A thing.",
      required: ["spec"],
      properties: {
        apiVersion: { type: "string" },
        metadata: { type: "object", properties: { name: { maxLength: 5 } } },
        spec: { type: "object", properties: { size: { type: "integer", default: 5 } } },
      },
    }),
  );
  expect(schema).toMatchObject({
    description: "A thing.",
    required: ["spec"],
    properties: {
      apiVersion: { type: "string", description: expect.stringContaining("APIVersion defines") },
      kind: { type: "string" },
      metadata: { allOf: [{ $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }] },
      spec: { type: "object", properties: { size: { type: "integer", default: 5 } } },
    },
    "x-kubernetes-group-version-kind": [{ group: "two.example.com", version: "v1", kind: "Thing" }],
  });
  expect(schema).not.toHaveProperty("x-kubernetes-selectable-fields");
});

test("what is a number or a text says so, and whole objects within get their type and metadata, wherever they are", () => {
  const embedded = { type: "object", "x-kubernetes-embedded-resource": true, required: ["kind"] };
  const { properties } = kindSchema(
    resource({
      type: "object",
      properties: {
        port: { "x-kubernetes-int-or-string": true },
        other: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "string" }] },
        list: { type: "array", items: embedded },
        map: { type: "object", additionalProperties: embedded },
        open: { type: "object", additionalProperties: true },
      },
    }),
  ) as { properties: Record<string, JsonObject> };
  expect(properties.port?.anyOf).toEqual([{ type: "integer" }, { type: "string" }]);
  expect(properties.other?.anyOf).toEqual([{ type: "string" }]);
  const object = {
    required: ["kind", "apiVersion"],
    properties: { apiVersion: { type: "string" }, kind: { type: "string" }, metadata: {} },
  };
  expect(properties.list?.items).toMatchObject(object);
  expect(properties.map?.additionalProperties).toMatchObject(object);
  expect(properties.open?.additionalProperties).toBe(true);
});

test("a list is one of its kind, and both say what can be selected by", () => {
  const of = resource({}, { selectableFields: new Map([["spec.color", () => ""]]) });
  const fields = [{ fieldPath: "spec.color" }];
  expect(kindSchema(of)).toMatchObject({ "x-kubernetes-selectable-fields": fields });
  expect(listSchema(of)).toMatchObject({
    description: "ThingList is a list of Thing",
    required: ["items"],
    properties: { items: { items: { $ref: "#/components/schemas/com.example.two.v1.Thing" } } },
    "x-kubernetes-selectable-fields": fields,
  });
});

test.each([
  ["", "io.k8s.api.core.v1.Thing"],
  ["coordination.k8s.io", "io.k8s.api.coordination.v1.Thing"],
  ["apiextensions.k8s.io", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.Thing"],
])("Kubernetes' own group %j has its schemas under Kubernetes' names", (group, want) => {
  const builtin = {} as NonNullable<Resource["builtin"]>;
  expect(schemaName(resource({}, { group, builtin }), "Thing")).toBe(want);
});
