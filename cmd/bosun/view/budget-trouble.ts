/** Why a Budget is not kept as it is declared, or another window counts than a person's clock shows. Pure. */
import { getCondition } from "../../../pkg/api/conditions.ts";
import type { Budget } from "../../../pkg/api/generated.ts";

/** For people, one line; undefined where there is no such trouble. */
export function budgetTrouble({ status }: Pick<Budget, "status">): string | undefined {
  const ready = getCondition(status?.conditions, "Ready");
  if (ready === undefined || ready.status === "True") return undefined;
  return ready.message.startsWith(ready.reason) ? ready.message : `${ready.reason}: ${ready.message}`;
}
