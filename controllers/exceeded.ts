/** Why a Budget grants nothing more, said of what waits for it. Pure. */
import { getCondition } from "../pkg/api/conditions.ts";
import type { Budget } from "../pkg/api/generated.ts";

/** A violated bound is no limit that was reached: what is to be done is another thing, and is said. */
export function whyExceeded({ metadata, status }: Budget): string {
  const exceeded = getCondition(status?.conditions, "Exceeded");
  if (exceeded?.reason === "BoundViolated") return exceeded.message;
  return `The Budget ${metadata.name} is used up.`;
}
