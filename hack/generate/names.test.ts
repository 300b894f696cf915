import { expect, test } from "vitest";
import { constantName, pascalCase, singular } from "./names.ts";

test.each([
  ["tasks", "task"],
  ["criteria", "criterion"],
  ["acceptanceCriteria", "acceptanceCriterion"],
  ["categories", "category"],
  ["branches", "branch"],
  ["commits", "commit"],
  ["address", "address"],
  ["include", "include"],
])("one item of %s is a %s", (field, want) => {
  expect(singular(field)).toBe(want);
});

test.each([
  ["ProjectPhase", "PROJECT_PHASES"],
  ["ReviewStandardStatus", "REVIEW_STANDARD_STATUSES"],
  ["Category", "CATEGORIES"],
  ["WorkspaceChecks", "WORKSPACE_CHECKS"],
  ["HostProcess", "HOST_PROCESSES"],
])("the values of %s are listed in %s", (type, want) => {
  expect(constantName(type)).toBe(want);
});

test("a type starts with a capital and has no dashes", () => {
  expect(pascalCase("review-cycles")).toBe("ReviewCycles");
});
