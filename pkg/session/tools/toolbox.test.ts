import { Ajv } from "ajv";
import { expect, test } from "vitest";
import type { SessionSpec } from "../sessions.ts";
import { executeTools } from "./execute.ts";
import { reviewTools } from "./review.ts";
import type { Workplace } from "./workplace.ts";

const spec = {
  checkout: "/nowhere",
  criteria: [{ id: "AC-1", text: "It works." }],
  tasks: [{ id: "T-1", title: "Do it" }],
  toolTimeoutSeconds: 60,
} as unknown as SessionSpec;
const place = { checkout: spec.checkout } as Workplace;
const toolboxes = {
  author: executeTools({ spec, place, headAtStart: () => undefined }),
  reviewer: reviewTools({ spec, place }),
};

test.each(Object.entries(toolboxes))("the schemas of the %s's tools are valid JSON Schema", (_, toolbox) => {
  expect(toolbox.definitions.length).toBeGreaterThan(2);
  for (const { name, input_schema } of toolbox.definitions) {
    const ajv = new Ajv({ strict: true });
    expect(ajv.validateSchema(input_schema), name).toBe(true);
    expect(() => ajv.compile(input_schema)).not.toThrow();
  }
});

test("input that does not fit is named, for each tool and each time", async () => {
  for (const toolbox of Object.values(toolboxes))
    for (const { name } of toolbox.definitions)
      for (const input of [{ surely: "not this" }, "text", null]) {
        const result = await toolbox.run(name, input);
        expect(result.isError).toBe(true);
        expect(result.content).toMatch(/^The input is not valid: input/);
      }
});
