/**
 * What is stored is as it should be: sent back by a PUT or patched with nothing it is no write, whatever its kind's
 * schema, and a registry that starts on the same storage shows the same.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { writeJson } from "../encoding/json.ts";
import { MemoryStorage } from "../storage/memory.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";
import { openTestRegistry } from "./testing/registry.ts";

type Declared = { [key: string]: Json };

const key = fc.constantFrom("a", "b", "c", "d");
const free = fc.letrec<{ any: Json; object: Json }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<Json>(1, 2.5, "x", true, null, (2n ** 60n + 1n) as never),
    fc.array(tie("any"), { maxLength: 2 }),
    tie("object"),
  ),
  object: fc.dictionary(key, tie("any"), { maxKeys: 3, noNullPrototype: true }) as fc.Arbitrary<Json>,
})).object;

function structural(depth: number): fc.Arbitrary<Declared> {
  const scalar = fc.constantFrom<Declared>(
    { type: "string" },
    { type: "string", enum: ["x", "y"] },
    { type: "integer", format: "int64" },
    { type: "number" },
    { type: "boolean" },
    { "x-kubernetes-int-or-string": true },
    { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
  );
  const bare = depth === 0 ? scalar : fc.oneof(scalar, compound(structural(depth - 1)));
  return bare.chain((schema) =>
    fc
      .record({ nullable: fc.boolean(), default: fc.option(valuesOf(schema, true), { freq: 3 }) })
      .map(({ nullable, default: declared }) => {
        // An enum has no null, and of the items of a set none may be null.
        const never = schema.enum !== undefined || schema["x-kubernetes-list-type"] === "set";
        return {
          ...schema,
          ...(nullable && !never ? { nullable } : {}),
          ...(declared === null || hasNull(declared) ? {} : { default: declared }),
        };
      }),
  );
}

function compound(inner: fc.Arbitrary<Declared>): fc.Arbitrary<Declared> {
  return fc.oneof(
    inner.map((items) => ({ type: "array", items })),
    fc
      .dictionary(key, inner, { maxKeys: 3, noNullPrototype: true })
      .map((properties) => ({ type: "object", properties })),
    inner.map((additionalProperties) => ({ type: "object", additionalProperties })),
    inner.map((more) => ({
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: { type: "object", required: ["name"], properties: { name: { type: "string" }, more } },
    })),
  );
}

/**
 * Mostly what the schema allows.
 *
 * @param strict - whether no field is unknown
 */
function valuesOf(schema: Declared, strict: boolean): fc.Arbitrary<Json> {
  const value = valuesButNull(schema, strict);
  return schema.nullable === true ? fc.option(value, { freq: 4 }) : value;
}

function valuesButNull(schema: Declared, strict: boolean): fc.Arbitrary<Json> {
  if (schema["x-kubernetes-int-or-string"] === true) return fc.constantFrom<Json>(5, "http", -1);
  if (schema["x-kubernetes-preserve-unknown-fields"] === true) return free;
  switch (schema.type) {
    case "string":
      return fc.constantFrom("x", "y");
    case "integer":
      return fc.constantFrom<Json>(0, 7, -1, (2n ** 62n + 1n) as never);
    case "number":
      return fc.constantFrom<Json>(0, 0.5, 1e21, -3);
    case "boolean":
      return fc.boolean();
    case "array": {
      const items = valuesOf(schema.items as Declared, strict);
      const one = (item: Json) => writeJson(isObject(item) ? (item.name ?? null) : item);
      return schema["x-kubernetes-list-type"] === undefined
        ? fc.array(items, { maxLength: 3 })
        : fc.uniqueArray(
            items.filter((item) => !isObject(item) || item.name !== undefined),
            { maxLength: 3, selector: one },
          );
    }
    default: {
      if (schema.additionalProperties !== undefined)
        return fc.dictionary(key, valuesOf(schema.additionalProperties as Declared, strict), {
          maxKeys: 3,
          noNullPrototype: true,
        }) as fc.Arbitrary<Json>;
      const properties = Object.entries((schema.properties ?? {}) as Declared);
      const values = Object.fromEntries(
        properties.map(([name, each]) => [name, valuesOf(each as Declared, strict)]),
      );
      return fc.record(
        { ...values, ...(strict ? {} : { unknown: free }) },
        { requiredKeys: [], noNullPrototype: true },
      );
    }
  }
}

function hasNull(value: Json): boolean {
  if (value === null) return true;
  if (Array.isArray(value)) return value.some(hasNull);
  return isObject(value) && Object.values(value).some(hasNull);
}

const specAndValue = fc
  .dictionary(key, structural(2), { minKeys: 1, maxKeys: 4, noNullPrototype: true })
  .map((properties): Declared => ({ type: "object", properties }))
  .chain((schema) => fc.tuple(fc.constant(schema), valuesOf(schema, false), valuesOf(schema, false)));

test("what is stored stays as it is", async () => {
  let created = 0;
  await fc.assert(
    fc.asyncProperty(specAndValue, async ([spec, value, other]) => {
      const storage = new MemoryStorage();
      const crds = [definitionOf(spec)];
      const { registry } = await openTestRegistry({ storage, crds });
      const object = { apiVersion: "test.example/v1", kind: "Thing", metadata: { name: "a" }, spec: value };
      const stored = await registry.create(things, "default", object);
      created++;
      const warn = (text: string) => {
        throw new Error(text);
      };
      const strict = { fieldValidation: "Strict", warn } as const;
      const copy = structuredClone(stored);
      expect(await registry.update(things, at, copy, strict)).toBe(stored);
      expect(await registry.patch(things, at, { type: "merge", body: {} }, strict)).toBe(stored);
      expect(await registry.patch(things, at, { type: "json", body: [] }, strict)).toBe(stored);

      const changed = await registry.update(things, at, { ...copy, spec: other } as never);
      const again = await openTestRegistry({ storage, crds });
      expect(writeJson(await again.registry.get(things, at))).toBe(writeJson(changed));
      expect(await again.registry.update(things, at, structuredClone(changed), strict)).toEqual(changed);
      expect(again.registry.revision).toBe(registry.revision);

      const config = { ...object, spec: structuredClone(changed.spec) };
      const apply = { fieldManager: "applier", force: true, fieldValidation: "Strict", warn } as const;
      const applied = await registry.apply(things, at, config, apply);
      expect(applied.object.spec).toEqual(changed.spec);
      expect((await registry.apply(things, at, structuredClone(config), apply)).object).toBe(applied.object);
    }),
    { numRuns: 100 },
  );
  expect(created).toBe(100);
});

const things = "test.example/things";
const at = { namespace: "default", name: "a" };

function definitionOf(spec: Declared): JsonObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "things.test.example" },
    spec: {
      group: "test.example",
      scope: "Namespaced",
      names: { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
        },
      ],
    },
  };
}
