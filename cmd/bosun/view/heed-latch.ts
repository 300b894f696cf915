/** What the stop latch says, before any object does. */
import { setCondition } from "../../../pkg/api/conditions.ts";
import type { Workspace } from "../../../pkg/api/generated.ts";
import { timestamp } from "../../../pkg/runtime/clock.ts";
import { isEngaged } from "../../../pkg/system/latch-files.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import type { Objects } from "./objects.ts";

/**
 * `objects` with every Workspace shown as stopped while the latch is engaged. The latch is the truth, and without a
 * living operator nobody has written it into an object.
 *
 * @param now - wall time in milliseconds
 */
export function heedLatch(objects: Objects, { stopLatch }: WorkspaceFolder, now: number): Objects {
  if (!isEngaged(stopLatch)) return objects;
  return { ...objects, workspaces: objects.workspaces.map((workspace) => stopped(workspace, now)) };
}

function stopped(workspace: Workspace, now: number): Workspace {
  const { spec, status } = workspace;
  if (spec.mode === "Stopped") return workspace;
  const message = "The emergency stop is in force. `bosun resume` lets work go on.";
  const conditions = setCondition(
    status?.conditions,
    { type: "Ready", status: "False", reason: "Stopped", message },
    { now: timestamp(now), generation: undefined },
  );
  return { ...workspace, spec: { ...spec, mode: "Stopped" }, status: { ...status, conditions } };
}
