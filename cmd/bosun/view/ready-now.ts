/** Whether a Workspace goes on, as far as that is known for the mode it has. */
import { getCondition } from "../../../pkg/api/conditions.ts";
import type { Workspace } from "../../../pkg/api/generated.ts";
import type { Condition } from "../../../pkg/api/meta.ts";

/** Its Ready, unless that speaks of a mode which is over: whoever reads it right after `bosun resume` was told of the stop. */
export function readyNow({ spec, status }: Pick<Workspace, "spec" | "status">): Condition | undefined {
  const ready = getCondition(status?.conditions, "Ready");
  const isOfMode = ready?.reason === "Stopped" || ready?.reason === "Paused";
  return isOfMode && ready.reason !== spec.mode ? undefined : ready;
}
