import { expect, test } from "vitest";
import type { Crd, Schema } from "./crds.ts";
import { typesOf } from "./types.ts";

function crd(spec: Schema, status: Schema = { type: "object" }): Crd {
  return {
    metadata: { name: "boats.sea.example" },
    spec: {
      group: "sea.example",
      scope: "Namespaced",
      names: { kind: "Boat", plural: "boats", singular: "boat", shortNames: ["bt"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", required: ["spec"], properties: { spec, status } } },
        },
      ],
    },
  };
}

test("a field with a default or a required one is always there, any other is optional", () => {
  const text = typesOf([
    crd({
      type: "object",
      required: ["name"],
      properties: {
        name: { type: "string" },
        crew: { type: "integer", default: 2 },
        port: { type: "string" },
      },
    }),
  ]);
  expect(text).toContain("  name: string;\n  /** Default: 2. */\n  crew: number;\n  port?: string;\n");
  expect(text).toContain("  spec: BoatSpec;\n  status?: BoatStatus;\n");
});

test("an enum becomes a list of its values and their union", () => {
  const text = typesOf([
    crd({ type: "object", properties: { sail: { type: "string", enum: ["Jib", "Main"] } } }),
  ]);
  expect(text).toContain('export const BOAT_SAILS = ["Jib", "Main"] as const;');
  expect(text).toContain("export type BoatSail = (typeof BOAT_SAILS)[number];");
});

test("spec and status may use one name for two meanings", () => {
  const text = typesOf([
    crd(
      {
        type: "object",
        properties: { limits: { type: "object", properties: { knots: { type: "integer" } } } },
      },
      {
        type: "object",
        properties: { limits: { type: "object", properties: { seen: { type: "boolean" } } } },
      },
    ),
  ]);
  expect(text).toContain("export interface BoatLimits {\n  knots?: number;\n}");
  expect(text).toContain("export interface BoatStatusLimits {\n  seen?: boolean;\n}");
});

test("a list of metav1 conditions has the type that all kinds share", () => {
  const fields = ["type", "status", "reason", "message", "lastTransitionTime"];
  const condition: Schema = {
    type: "object",
    properties: Object.fromEntries(fields.map((field) => [field, { type: "string" }])),
  };
  const text = typesOf([
    crd(
      { type: "object" },
      { type: "object", properties: { conditions: { type: "array", items: condition } } },
    ),
  ]);
  expect(text).toContain("  conditions?: Condition[];");
});

test("a description becomes a docstring with default and bounds", () => {
  const text = typesOf([
    crd({
      type: "object",
      properties: {
        crew: { type: "integer", minimum: 1, maximum: 9, default: 2, description: "crew is how many sail." },
      },
    }),
  ]);
  expect(text).toContain("  /** crew is how many sail. Default: 2. From 1 to 9. */\n  crew: number;");
});
