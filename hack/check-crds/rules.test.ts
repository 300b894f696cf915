import { expect, test } from "vitest";
import type { Crd, PrinterColumn, Schema } from "../generate/crds.ts";
import { problemsOf } from "./rules.ts";

function boat(field: Schema): Crd {
  return {
    metadata: { name: "boats.sea.example" },
    spec: {
      group: "sea.example",
      scope: "Namespaced",
      names: { kind: "Boat", plural: "boats", shortNames: ["bt"], categories: ["bosun"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "when made" },
          ],
          schema: {
            openAPIV3Schema: { type: "object", description: "A Boat floats.", properties: { sail: field } },
          },
        },
      ],
    },
  };
}

test.each<[string, Schema]>([
  ["a bounded string", { type: "string", maxLength: 9, description: "sail is its colour." }],
  ["an enum", { type: "string", enum: ["Red"], description: "sail is its colour." }],
  ["a bounded number", { type: "number", minimum: 0, maximum: 1, description: "sail is its share." }],
  ["a boolean", { type: "boolean", description: "sail is whether it is set." }],
])("%s with a description is fine", (_, field) => {
  expect(problemsOf(boat(field))).toEqual([]);
});

test.each<[string, Schema, RegExp]>([
  ["no description", { type: "boolean" }, /^\.sail: no description/],
  [
    "another field's name",
    { type: "boolean", description: "Sails set." },
    /must start with the field's name/,
  ],
  ["an unbounded string", { type: "string", description: "sail is its colour." }, /unbounded string/],
  ["half a range", { type: "integer", minimum: 1, description: "sail is a number." }, /minimum and maximum/],
  [
    "an unbounded list",
    { type: "array", description: "sail is a list.", items: { type: "boolean", description: "One." } },
    /^\.sail: an unbounded array. Add maxItems/,
  ],
  [
    "an unbounded item",
    {
      type: "array",
      maxItems: 2,
      description: "sail is a list.",
      items: { type: "string", description: "One." },
    },
    /^\.sail\[\]: an unbounded string/,
  ],
  [
    "an unbounded map",
    {
      type: "object",
      description: "sail is a map.",
      additionalProperties: { type: "boolean", description: "Whether." },
    },
    /maxProperties/,
  ],
])("%s is a problem", (_, field, want) => {
  expect(problemsOf(boat(field))).toEqual([expect.stringMatching(want)]);
});

test("a kind without short names, category, status or columns says each", () => {
  const crd = boat({ type: "boolean", description: "sail is whether it is set." });
  crd.spec.names.shortNames = [];
  crd.spec.names.categories = [];
  const [version] = crd.spec.versions;
  if (version !== undefined) {
    version.subresources = {};
    version.additionalPrinterColumns = [];
  }
  expect(problemsOf(crd)).toHaveLength(4);
});

test.each<[string, Partial<PrinterColumn>, RegExp]>([
  ["a field that there is not", { jsonPath: ".sails" }, /the schema has no \.sails/],
  ["a field of another type", { type: "integer" }, /\.sail is no integer. Write type: string/],
  ["no description", { description: undefined }, /no description/],
])("a column with %s is a problem", (_, column, want) => {
  const crd = boat({ type: "string", maxLength: 9, description: "sail is its colour." });
  const whole = { name: "Sail", type: "string", jsonPath: ".sail", description: "its sail", ...column };
  for (const version of crd.spec.versions) version.additionalPrinterColumns = [whole];
  expect(problemsOf(crd)).toEqual([expect.stringMatching(want)]);
});

test("what people select by is a single value", () => {
  const crd = boat({ type: "string", maxLength: 9, description: "sail is its colour." });
  for (const version of crd.spec.versions) {
    version.selectableFields = [{ jsonPath: ".sail" }, { jsonPath: ".sails" }];
  }
  expect(problemsOf(crd)).toEqual([expect.stringMatching(/^selectable field \.sails: /)]);
});
