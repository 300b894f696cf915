import { Ajv } from "ajv";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type InputSchema, problemsOf } from "./input-schema.ts";

const schema: InputSchema = {
  type: "object",
  properties: {
    path: { type: "string", minLength: 1, maxLength: 3 },
    evidence: { type: "string", pattern: "\\S" },
    limit: { type: "integer", minimum: 1, maximum: 3 },
    met: { type: "boolean" },
    toString: { type: "boolean" as const },
    verdict: { enum: ["Approved", "ChangesRequested"] },
    list: {
      type: "array",
      maxItems: 2,
      items: {
        type: "object",
        properties: { id: { type: "string" } },
        required: ["id"],
        additionalProperties: false,
      },
    },
  },
  required: ["path", "met", "toString"],
  additionalProperties: false,
};

/** Values that fit the schema, and such as nearly do. */
function valuesFor(of: InputSchema): fc.Arbitrary<unknown> {
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom("__proto__", "toString", "", "é😀", "😀😀😀"),
  );
  return fc.oneof({ weight: 40, arbitrary: fitting(of) }, { weight: 1, arbitrary: anything });
}

function fitting(of: InputSchema): fc.Arbitrary<unknown> {
  if ("enum" in of) return fc.constantFrom(...of.enum, "approved");
  switch (of.type) {
    case "object": {
      const fields = Object.entries(of.properties).map(([name, field]) => [name, valuesFor(field)] as const);
      const whole = fc.record(Object.fromEntries(fields), { requiredKeys: [] });
      const more = fc.dictionary(fc.constantFrom("more", "constructor"), fc.constant(1), { maxKeys: 1 });
      const own = fc.record(Object.fromEntries(fields));
      return fc.oneof(
        own,
        own,
        whole,
        fc.tuple(own, more).map(([one, other]) => ({ ...one, ...other })),
      );
    }
    case "array":
      return fc.array(valuesFor(of.items), { maxLength: 3 });
    case "string":
      return fc.oneof(
        fc.string({ minLength: 1, maxLength: 3 }),
        fc.constantFrom("four", "", " ", "\u00a0", "😀😀😀"),
      );
    case "integer":
      return fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(1.5));
    case "boolean":
      return fc.boolean();
  }
}

test("what is valid is what Ajv finds valid", () => {
  const isValid = new Ajv({ strict: true }).compile(schema);
  const seen = { valid: 0, invalid: 0 };
  fc.assert(
    fc.property(valuesFor(schema), (value) => {
      const valid = isValid(value);
      seen[valid ? "valid" : "invalid"] += 1;
      expect(problemsOf(schema, value).length === 0, JSON.stringify(value)).toBe(valid);
    }),
    { numRuns: 1000 },
  );
  expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(20);
});

test("each problem says where it is and what is wanted", () => {
  const value = { limit: 0, list: [{ id: 1 }], verdict: "Perhaps", evidence: " ", more: true, path: "long" };
  expect(problemsOf(schema, value)).toEqual([
    "input must have the property `met`",
    "input must have the property `toString`",
    "input.limit must not be less than 1",
    "input.list[0].id must be a string",
    "input.verdict must be one of Approved, ChangesRequested",
    "input.evidence must match \\S",
    "input must not have the property `more`",
    "input.path must not be longer than 3 characters",
  ]);
  expect(problemsOf(schema, [])).toEqual(["input must be an object"]);
});
