import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { countTokensSchema, messagesSchema } from "./request-schema.ts";
import { scenarioSchema } from "./scenario-schema.ts";

test.each([messagesSchema, countTokensSchema, scenarioSchema])(
  "what is compiled unchecked is a schema",
  (schema) => {
    expect(new Ajv().validateSchema(schema)).toBe(true);
  },
);
