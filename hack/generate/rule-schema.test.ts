import { Ajv } from "ajv";
import { expect, test } from "vitest";
import type { Schema } from "./crds.ts";
import { ruleSchema } from "./rule-schema.ts";

const boat: Schema = {
  type: "object",
  properties: {
    sail: { type: "string", enum: ["Jib", "Main"], default: "Main" },
    flag: { type: "string" },
    crew: { type: "object", properties: { captain: { type: "string" } } },
  },
};

const ajv = new Ajv({ strict: false });

test.each<[rule: string, value: unknown, want: boolean]>([
  ["has(self.flag) || has(self.crew)", {}, false],
  ["has(self.flag) || has(self.crew)", { crew: {} }, true],
  ["self.sail == 'Jib' || !has(self.flag)", { sail: "Main", flag: "red" }, false],
  ["self.sail == 'Jib' || !has(self.flag)", { sail: "Jib", flag: "red" }, true],
  ["self.sail == 'Jib' || !has(self.flag)", { sail: "Main" }, true],
  ["self.sail != 'Main' || has(self.flag)", {}, false],
  ["self.sail != 'Main' || has(self.flag)", { sail: "Jib" }, true],
  ["!has(self.crew) || !(self.sail in ['Jib']) || self.crew.captain in ['Ann', 'Bo']", { sail: "Jib" }, true],
  [
    "!has(self.crew) || !(self.sail in ['Jib']) || self.crew.captain in ['Ann', 'Bo']",
    { sail: "Jib", crew: { captain: "Cy" } },
    false,
  ],
  ["self.crew.captain in ['Ann', 'Bo']", { crew: { captain: "Bo" } }, true],
  ["self.crew.captain in ['Ann', 'Bo']", { crew: { captain: "Cy" } }, false],
  ["self.flag != 'black'", { flag: "black" }, false],
  ["!has(self.crew.captain)", { crew: { captain: "Ann" } }, false],
])("%s of %j is %s", (rule, value, want) => {
  const schema = ruleSchema(rule, "must be so", boat);
  expect(ajv.validate(schema ?? false, value)).toBe(want);
});

test.each([
  "self == oldSelf",
  "self.tasks.all(t, t.id != '')",
  "self.crew.size() > 2",
  "has(self.flag) && has(self.crew)",
  "self.flag in self.flags",
])("%s is beyond JSON Schema", (rule) => {
  expect(ruleSchema(rule, "must be so", boat)).toBeUndefined();
});

test("the rule's message is what the editor says", () => {
  expect(ruleSchema("self.sail == 'Jib' || !has(self.flag)", "flag is for a Jib", boat)).toMatchObject({
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: { properties: { flag: false }, errorMessage: "flag is for a Jib" },
  });
});
