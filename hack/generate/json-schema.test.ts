import { expect, test } from "vitest";
import type { Schema } from "./crds.ts";
import { jsonSchemaOf } from "./json-schema.ts";

test.each<[name: string, schema: Schema, want: object]>([
  [
    "bounds stay",
    { type: "integer", minimum: 1, maximum: 9, default: 2 },
    { minimum: 1, maximum: 9, default: 2 },
  ],
  ["a date stays a date", { type: "string", format: "date-time" }, { format: "date-time" }],
  ["what may be null says so", { type: "string", nullable: true }, { type: ["string", "null"] }],
  ["int-or-string is both", { "x-kubernetes-int-or-string": true }, { type: ["integer", "string"] }],
  [
    "a set has no item twice",
    { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
    { uniqueItems: true, items: { type: "string" } },
  ],
  [
    "an object takes no field that would be pruned",
    { type: "object", properties: { sail: { type: "string" } } },
    { additionalProperties: false },
  ],
  [
    "the values of a map have their schema",
    { type: "object", additionalProperties: { type: "integer" } },
    { additionalProperties: { type: "integer" } },
  ],
  [
    "what has a default need not be written",
    {
      type: "object",
      required: ["sail", "crew"],
      properties: { sail: { type: "string", default: "Jib" }, crew: { type: "integer" } },
    },
    { required: ["crew"] },
  ],
  [
    "a rule that JSON Schema can't say is told in the description",
    {
      type: "string",
      description: "sail is its sail.",
      "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "sail is immutable" }],
    },
    { description: "sail is its sail. Rule: sail is immutable." },
  ],
  [
    "or in the description of the field that it names",
    {
      type: "object",
      properties: { sail: { type: "string", description: "sail is its sail." } },
      "x-kubernetes-validations": [
        { rule: "self.sail.size() > 1", message: "sail must be set", fieldPath: ".sail" },
      ],
    },
    { properties: { sail: { description: "sail is its sail. Rule: sail must be set." } } },
  ],
  [
    "a value that kubectl would read as a boolean asks for quotes",
    { type: "string", enum: ["Required", "Off"], description: "sail is its sail." },
    { description: 'sail is its sail. Write "Off" with the quotes.' },
  ],
])("%s", (_, schema, want) => {
  expect(jsonSchemaOf(schema)).toMatchObject(want);
});

test("fields that are kept unknown are not refused", () => {
  const schema = jsonSchemaOf({ type: "object", "x-kubernetes-preserve-unknown-fields": true });
  expect(schema).not.toHaveProperty("additionalProperties");
});

test("a keyword that has no translation is not dropped in silence", () => {
  expect(() => jsonSchemaOf({ type: "object", not: {} } as Schema)).toThrow("not has no translation");
  expect(() => jsonSchemaOf({ type: "string", format: "cidr" })).toThrow("cidr has no translation");
});
