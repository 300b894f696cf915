import type { Budget, BudgetSpec } from "../api/generated.ts";
import { isZone } from "../encoding/zone-offset.ts";
import type { BudgetPolicy } from "./money.ts";

/** A Budget as the gateway has it. */
export function policyOf({ metadata, spec }: Budget): BudgetPolicy {
  return {
    name: metadata.name,
    uid: metadata.uid ?? "",
    ...(spec.daily === undefined ? {} : { daily: spec.daily }),
    ...(spec.monthly === undefined ? {} : { monthly: spec.monthly }),
    timeZone: zoneOf(spec),
    selector: spec.selector?.matchLabels ?? {},
  };
}

/**
 * Where its days and months begin: UTC while the zone that it declares is none. Its limits hold all the same, and those
 * of others are not kept from counting.
 */
export function zoneOf({ timeZone }: Pick<BudgetSpec, "timeZone">): string {
  return isZone(timeZone) ? timeZone : "UTC";
}
