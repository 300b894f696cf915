import { expect, test } from "vitest";
import type { Budget } from "../api/generated.ts";
import { policyOf } from "./budget-policy.ts";
import { windowAt } from "./windows.ts";

test("a Budget with a zone that is none keeps its limits: it kept all Budgets from coming into force", () => {
  const budget = { metadata: { name: "a" }, spec: { daily: { usd: 1 }, timeZone: "Mars/Phobos" } } as Budget;
  const policy = policyOf(budget);
  expect(policy).toMatchObject({ daily: { usd: 1 }, timeZone: "UTC" });
  expect(windowAt("daily", 0, policy.timeZone).name).toBe("1970-01-01");
});
