import type { Budget } from "../api/generated.ts";
import type { BudgetPolicy } from "./money.ts";

/** A Budget as the gateway has it. */
export function policyOf({ metadata, spec }: Budget): BudgetPolicy {
  return {
    name: metadata.name,
    uid: metadata.uid ?? "",
    ...(spec.daily === undefined ? {} : { daily: spec.daily }),
    ...(spec.monthly === undefined ? {} : { monthly: spec.monthly }),
    timeZone: spec.timeZone,
    selector: spec.selector?.matchLabels ?? {},
  };
}
