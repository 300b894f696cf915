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
const toolboxesAt = (place: Workplace) => ({
  author: executeTools({ spec, place, headAtStart: () => undefined }),
  reviewer: reviewTools({ spec, place }),
});
const toolboxes = toolboxesAt(place);

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

test.each([
  { ended: { exitCode: 0, timedOut: false }, isError: false, content: "some" },
  { ended: { exitCode: 7, timedOut: false }, isError: true, content: "some\n[exit code 7]" },
  { ended: { exitCode: 137, timedOut: true }, isError: true, content: "some\n[ended after 60 seconds]" },
  { ended: { exitCode: 0, timedOut: true }, isError: true, content: "some\n[ended after 60 seconds]" },
])("of a command the model is told how it ended: $ended", async ({ ended, ...want }) => {
  const run: Workplace["run"] = async () => ({ ...ended, output: "some", seconds: 1 });
  const { reviewer } = toolboxesAt({ ...place, run });
  expect(await reviewer.run("bash", { command: "do something" })).toEqual(want);
});
