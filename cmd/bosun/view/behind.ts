/** What people are told of a branch that does not show what was merged. */
import { getCondition } from "../../../pkg/api/conditions.ts";
import type { Workspace } from "../../../pkg/api/generated.ts";

/** Why the target branch does not follow the merge queue; undefined where it does, or where nothing is merged at all. */
export function behind({ status }: Workspace): string | undefined {
  const sync = getCondition(status?.conditions, "TargetInSync");
  // A rewritten branch stops the queue: Ready says it.
  if (sync?.status !== "False" || sync.reason === "Rewritten") return undefined;
  return `${sync.reason}: ${sync.message}`;
}
