/** The effects of the merge queue's plan. Each is safe to repeat after a crash; none decides anything. */
import type { NewCondition } from "../../pkg/api/conditions.ts";
import { escalationFor } from "../../pkg/api/escalations.ts";
import type { Project, ProjectStatus } from "../../pkg/api/generated.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { inSeconds, type Next } from "../../pkg/runtime/controller.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { type Deps, whenOf, withConditions } from "../deps.ts";
import { raise } from "../raise.ts";
import type { Step } from "./decide.ts";

/** @param target - the commit that the step was decided on */
export async function act(step: Step, project: Project, target: string, deps: Deps): Promise<void> {
  const { submission } = project.status ?? {};
  if (submission === undefined) return;
  switch (step.do) {
    case "wait":
      await report(project, {}, { status: "Unknown", reason: step.reason, message: step.message }, deps);
      return;
    case "merge":
      await announce(project, { from: target, to: step.to }, deps);
      return;
    case "reviewAgain": {
      const again = { ...submission, head: step.head };
      await report(
        project,
        { submission: again, head: step.head },
        {
          status: "Unknown",
          reason: "HeadMoved",
          message: "The rebased branch is another patch; it is reviewed again.",
        },
        deps,
      );
      return;
    }
    case "escalate": {
      const escalation = escalationFor(project, step.reason, {
        message: step.message,
        commit: submission.head,
      });
      await raise(escalation, deps);
      await report(
        project,
        { escalation: escalation.metadata.name },
        { status: "False", reason: step.reason, message: step.message },
        deps,
      );
      deps.events.event(project, "Warning", step.reason, step.message);
      return;
    }
    case "refuse":
      await refuse(step, project, target, deps);
  }
}

/** Sends the work back, and asks a person too where that has happened often enough. */
async function refuse(
  step: Step & { do: "refuse" },
  project: Project,
  target: string,
  deps: Deps,
): Promise<void> {
  const { reason, message } = step;
  const { submission, pendingConflicts = 0 } = project.status ?? {};
  if (submission === undefined) return;
  // As many as crds/project.yaml and crds/escalation.yaml take.
  const files = step.files.slice(0, 200);
  const attempts = pendingConflicts + 1;
  const asked = `${attempts} attempts to merge failed. Resolved tries again, once the target no longer conflicts.`;
  const escalation =
    step.escalate === undefined
      ? undefined
      : escalationFor(project, step.escalate, {
          message: `${asked}\n${message}`.slice(0, 4000),
          commit: submission.head,
          conflictingFiles: files,
        });
  if (escalation !== undefined) await raise(escalation, deps);
  await report(
    project,
    {
      mergeFailure: { head: submission.head, run: submission.run, reason, message, target, files },
      pendingConflicts: attempts,
      ...(escalation === undefined ? {} : { escalation: escalation.metadata.name }),
    },
    { status: "False", reason, message },
    deps,
  );
  deps.events.event(project, "Warning", reason, message);
}

/** Says in status what is about to happen, so that after a crash the swap is made once or found made. */
async function announce(
  project: Project,
  { from, to }: { from: string; to: string },
  deps: Deps,
): Promise<void> {
  const head = project.status?.submission?.head ?? "";
  const merge = { from, to, head, time: timestamp(deps.clock.now()) };
  await report(
    project,
    { merge },
    {
      status: "Unknown",
      reason: "Merging",
      message: `The target moves from ${from.slice(0, 9)} to ${to.slice(0, 9)}.`,
    },
    deps,
  );
  deps.failpoints.hit("intent-written");
}

/**
 * Carries out, or takes note of, the merge that was announced. The target contains new: done. It is old: swap. Else the
 * plan is stale: plan anew.
 *
 * @throws TransientError TargetUnknown when the target can't be seen
 */
export async function finish(project: Project, deps: Deps): Promise<Next> {
  const { repository, events, failpoints } = deps;
  const merge = project.status?.merge;
  const { from, to } = merge ?? {};
  if (from === undefined || to === undefined) {
    await report(
      project,
      { merge: undefined },
      { status: "Unknown", reason: "Replanned", message: "The announced merge was incomplete." },
      deps,
    );
    return inSeconds(0);
  }
  const target = await repository.target();
  if (target.is === "unknown")
    throw new TransientError("TargetUnknown", `The target can't be seen: ${target.why}`);
  const merged = (await repository.targetContains(to)) || (await repository.swapTarget(from, to));
  if (!merged) {
    await report(
      project,
      { merge: undefined },
      {
        status: "Unknown",
        reason: "TargetMoved",
        message: "The target moved before the swap; the merge is planned anew.",
      },
      deps,
    );
    return inSeconds(0);
  }
  await report(
    project,
    { merge: undefined, mergeCommit: to },
    { status: "True", reason: "Merged", message: `Merged as ${to.slice(0, 9)}.` },
    deps,
  );
  failpoints.hit("status-written");
  events.event(project, "Normal", "Merged", `Merged as ${to.slice(0, 9)}.`);
  return inSeconds(0);
}

async function report(
  project: Project,
  more: Partial<ProjectStatus>,
  merged: Pick<NewCondition, "status" | "reason" | "message">,
  { client, clock }: Deps,
): Promise<void> {
  const next: ProjectStatus = { ...project.status, ...more };
  await writeStatus(client, "Project", project, {
    ...next,
    conditions: withConditions(next.conditions, whenOf(clock, project), {
      type: "Merged",
      ...merged,
    }),
  });
}
