import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/meta.ts";
import { definitionResource } from "../builtin/definition.ts";
import { openTestRegistry } from "../testing/registry.ts";

type Spec = { [key: string]: unknown; names: Record<string, unknown>; versions: Record<string, unknown>[] };

const schemaAt = "spec.validation.openAPIV3Schema";

describe("a definition is refused", () => {
  test.each<[string, (spec: Spec) => void, string]>([
    [
      "of another name",
      (spec) => Object.assign(spec.names, { plural: "ships" }),
      'metadata.name: Invalid value: "boats.port.example": must be spec.names.plural+"."+spec.group',
    ],
    ["without a group", (spec) => Object.assign(spec, { group: "" }), "spec.group: Required value"],
    [
      "of a group that is no domain",
      (spec) => Object.assign(spec, { group: "port" }),
      'spec.group: Invalid value: "port": should be a domain with at least one dot',
    ],
    ["without a scope", (spec) => Object.assign(spec, { scope: "" }), "spec.scope: Required value"],
    [
      "of another scope",
      (spec) => Object.assign(spec, { scope: "Global" }),
      'spec.scope: Unsupported value: "Global": supported values: "Cluster", "Namespaced"',
    ],
    ["of no kind", (spec) => Object.assign(spec.names, { kind: "" }), "spec.names.kind: Required value"],
    [
      "of a kind that is no word",
      (spec) => Object.assign(spec.names, { kind: "Bo at" }),
      'spec.names.kind: Invalid value: "Bo at": may have mixed case, but should otherwise match: a DNS-1035 label',
    ],
    [
      "whose kind is its list's",
      (spec) => Object.assign(spec.names, { listKind: "Boat" }),
      'spec.names.listKind: Invalid value: "Boat": kind and listKind may not be the same',
    ],
    [
      "with no version stored",
      (spec) => Object.assign(spec.versions[0] as object, { storage: false }),
      "must have exactly one version marked as storage version",
    ],
    [
      "without a schema",
      (spec) => Object.assign(spec.versions[0] as object, { schema: undefined }),
      "spec.versions[0].schema.openAPIV3Schema: Required value",
    ],
    [
      "with a conversion that is not done here",
      (spec) => Object.assign(spec, { conversion: { strategy: "Webhook" } }),
      'spec.conversion.strategy: Unsupported value: "Webhook": supported values: "None"',
    ],
    [
      "that keeps unknown fields",
      (spec) => Object.assign(spec, { preserveUnknownFields: true }),
      "spec.preserveUnknownFields: Invalid value: true: cannot set to true",
    ],
    [
      "with a column of no type",
      (spec) => version(spec, { additionalPrinterColumns: [{ name: "A", type: "text", jsonPath: ".a" }] }),
      'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
    ],
    [
      "with a scale path outside spec",
      (spec) =>
        version(spec, {
          subresources: { scale: { specReplicasPath: ".a.b", statusReplicasPath: ".status.n" } },
        }),
      'spec.subresources.scale.specReplicasPath: Invalid value: ".a.b": should be a json path under .spec',
    ],
    [
      "that selects by what is not there",
      (spec) => version(spec, { selectableFields: [{ jsonPath: ".spec.sails" }] }),
      'spec.selectableFields[0].jsonPath: Invalid value: ".spec.sails": is an invalid path: does not refer to a valid field',
    ],
    [
      "that selects by an object",
      (spec) => version(spec, { selectableFields: [{ jsonPath: ".spec" }] }),
      "must point to a field of type string, boolean or integer",
    ],
    [
      "with a warning for a version that is not deprecated",
      (spec) => version(spec, { deprecationWarning: "old" }),
      'deprecationWarning: Invalid value: "old": can only be set for deprecated versions',
    ],
  ])("%s", async (_name, spoil, why) => {
    expect(await refusal(spoil)).toContain(why);
  });
});

describe("a schema is refused", () => {
  test.each<[string, object, string]>([
    [
      "without a type at the root",
      { type: undefined },
      `${schemaAt}.type: Required value: must not be empty at the root`,
    ],
    [
      "of another type at the root",
      { type: "string" },
      `${schemaAt}.type: Invalid value: "string": must be object at the root`,
    ],
    [
      "that may be null",
      { nullable: true },
      `${schemaAt}.nullable: Forbidden: nullable cannot be true at the root`,
    ],
    [
      "with a property of no type",
      { properties: { a: {} } },
      `${schemaAt}.properties[a].type: Required value: must not be empty for specified object fields`,
    ],
    [
      "with a property of an unknown type",
      { properties: { a: { type: "text" } } },
      `${schemaAt}.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
    [
      "with a list of nothing",
      { properties: { a: { type: "array" } } },
      `${schemaAt}.properties[a].items: Required value: must be specified`,
    ],
    [
      "with free keys at the root",
      { additionalProperties: { type: "string" } },
      `${schemaAt}.additionalProperties: Forbidden: must not be used at the root`,
    ],
    [
      "that restricts metadata",
      { properties: { metadata: { type: "object", properties: { labels: { type: "object" } } } } },
      `${schemaAt}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
    ],
    [
      "with a type in a junctor",
      { anyOf: [{ type: "object" }] },
      `${schemaAt}.anyOf[0].type: Forbidden: must be empty to be structural`,
    ],
    [
      "that judges what it does not have",
      { anyOf: [{ properties: { a: { minimum: 1 } } }] },
      `${schemaAt}.properties[a]: Required value: because it is defined in ${schemaAt}.anyOf[0].properties[a]`,
    ],
    [
      "with a reference",
      { properties: { a: { type: "string", $ref: "#/b" } } },
      `${schemaAt}.properties[a].$ref: Forbidden: $ref is not supported`,
    ],
    [
      "with unique items",
      { properties: { a: { type: "array", items: { type: "string" }, uniqueItems: true } } },
      `${schemaAt}.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
    ],
    [
      "with a map list without keys",
      { properties: { a: { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "map" } } },
      `${schemaAt}.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`,
    ],
    [
      "whose key may be missing",
      {
        properties: {
          a: {
            type: "array",
            items: { type: "object", properties: { k: { type: "string" } } },
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k"],
          },
        },
      },
      `${schemaAt}.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys`,
    ],
    [
      "with a set of granular objects",
      { properties: { a: { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "set" } } },
      "must be atomic as item of a list with x-kubernetes-list-type=set",
    ],
    [
      "with a default that it refuses",
      { properties: { a: { type: "integer", default: "x" } } },
      `${schemaAt}.properties[a].default: Invalid value: "string"`,
    ],
    [
      "with a default of unknown fields",
      { properties: { a: { type: "object", properties: {}, default: { b: 1 } } } },
      `${schemaAt}.properties[a].default: Invalid value: {"b":1}: must not have unknown fields`,
    ],
    [
      "with a pattern that is none",
      { properties: { a: { type: "string", pattern: "(" } } },
      "must be a valid regular expression, but isn't: error parsing regexp",
    ],
    [
      "with a rule of several lines and no message",
      { properties: { a: { type: "string", "x-kubernetes-validations": [{ rule: "true\n|| false" }] } } },
      `${schemaAt}.properties[a].x-kubernetes-validations[0].message: Required value: message must be specified if rule contains line breaks`,
    ],
    [
      "with a rule that does not compile",
      { properties: { a: { type: "string", "x-kubernetes-validations": [{ rule: "self > 1" }] } } },
      `${schemaAt}.properties[a].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self \\u003e 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:6: found no matching overload for '_>_' applied to '(string, int)'`,
    ],
  ])("%s", async (_name, schema, why) => {
    const whole = { type: "object", properties: {}, ...schema };
    expect(await refusal((spec) => version(spec, { schema: { openAPIV3Schema: whole } }))).toContain(why);
  });

  test("with a bound at a root whose status is written apart", async () => {
    const why = await refusal((spec) =>
      version(spec, {
        schema: { openAPIV3Schema: { type: "object", anyOf: [], minProperties: 1 } },
        subresources: { status: {} },
      }),
    );
    expect(why).toContain(
      "fields are allowed at the root of the schema if the status subresource is enabled",
    );
  });

  test("for none of these", async () => {
    const schema = {
      type: "object",
      properties: {
        metadata: { type: "object", properties: { name: { type: "string", maxLength: 10 } } },
        port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
        free: { "x-kubernetes-preserve-unknown-fields": true },
        tags: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
        labels: { type: "object", additionalProperties: { type: "string" } },
      },
    };
    await expect(refusal((spec) => version(spec, { schema: { openAPIV3Schema: schema } }))).resolves.toBe("");
  });
});

function version(spec: Spec, fields: object): void {
  Object.assign(spec.versions[0] as object, fields);
}

/** Why a definition that was spoilt is refused; empty when it is not. */
async function refusal(spoil: (spec: Spec) => void): Promise<string> {
  const { registry } = await openTestRegistry();
  const spec: Spec = {
    group: "port.example",
    scope: "Namespaced",
    names: { plural: "boats", kind: "Boat" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object" } } } },
      },
    ],
  };
  spoil(spec);
  const definition: KubeObject = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "boats.port.example" },
    spec: JSON.parse(JSON.stringify(spec)),
  };
  return registry.create(definitionResource.id, "", definition).then(
    () => "",
    (error: Error) => error.message,
  );
}
