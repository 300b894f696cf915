/** When the numbers of a running session are taken in: each status write wakes every watcher. Pure. */
import type { Agent, Workspace } from "../../pkg/api/generated.ts";
import type { SessionObservation } from "../../pkg/session/sessions.ts";
import type { Work } from "./observe.ts";

/** So often for people, in milliseconds; three times within the time that a session may stand still, if that is less. */
const periodMsMax = 600_000;
const looksWhileStill = 3;

export interface Look {
  due: boolean;
  /** When the next is due, in milliseconds from now. */
  nextMs: number;
}

/** A host that is new is looked at at once; then regularly, and at the moment when it could pass a limit. */
export function lookAt(
  agent: Agent,
  {
    work,
    workspace,
    session,
    now,
  }: {
    work: Work | undefined;
    workspace: Workspace | undefined;
    session: SessionObservation | undefined;
    now: number;
  },
): Look {
  const known = agent.status?.session;
  const { liveSeconds = 0, unchangedSeconds = 0, lastLookTime } = known ?? {};
  const nowSeconds = session?.is === "present" ? Math.floor(session.report.liveSeconds) : liveSeconds;
  const passed = Math.max(0, nowSeconds - liveSeconds);
  const next = { due: true, nextMs: periodAfter(nowSeconds, unchangedSeconds + passed, work, workspace) };
  if (session?.is !== "present" || known?.pid !== session.pid || lastLookTime === undefined) return next;
  const sinceMs = now - Date.parse(lastLookTime);
  const periodMs = periodAfter(liveSeconds, unchangedSeconds, work, workspace);
  // A clock that was set back makes nothing wait.
  return sinceMs < 0 || sinceMs >= periodMs ? next : { due: false, nextMs: periodMs - sinceMs };
}

/** Milliseconds to wait after a look that saw a session live and stand still for so many seconds. */
function periodAfter(
  live: number,
  unchanged: number,
  work: Work | undefined,
  workspace: Workspace | undefined,
): number {
  if (work?.kind !== "Project" || workspace === undefined) return periodMsMax;
  const { projectSeconds, stuckSeconds } = workspace.spec.limits;
  const { spec, status } = work.project;
  const limit = Math.min(projectSeconds, spec.limits?.projectSeconds ?? Number.POSITIVE_INFINITY);
  const periodMs = Math.min(periodMsMax, (stuckSeconds * 1000) / looksWhileStill);
  const leftMs = [limit - (status?.workedSeconds ?? 0) - live, stuckSeconds - unchanged]
    .filter((seconds) => seconds > 0)
    // What is told in whole seconds may be one less than it is.
    .map((seconds) => (seconds + 1) * 1000);
  return Math.min(periodMs, ...leftMs);
}
