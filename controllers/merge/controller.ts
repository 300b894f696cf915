/** The serial merge queue: approved work becomes part of the target, one Project at a time. */
import { escalationFor } from "../../pkg/api/escalations.ts";
import type { Project, ProjectStatus, Workspace } from "../../pkg/api/generated.ts";
import type { ObjectKey } from "../../pkg/api/meta.ts";
import { commitIdentity } from "../../pkg/api/names.ts";
import type { Reason } from "../../pkg/api/reasons.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { type Deps, theWorkspace, whenOf, withConditions } from "../deps.ts";
import { declared, isShown, queueStanding } from "../facts.ts";
import { raise } from "../raise.ts";
import { decide, queue, type Step } from "./decide.ts";
import { mergeMessage } from "./message.ts";
import { followTarget } from "./target.ts";

/** How often a branch that could not follow is tried again when nothing wakes us, in seconds. */
const lookAgainSeconds = 30;

export function mergeController(deps: Deps): Controller {
  const { client, clock, namespace, quality, repository, events, failpoints } = deps;
  /** The queue is one thing, whatever woke it. */
  const theQueue: ObjectKey = { namespace, name: "queue" };
  /** The merge whose checks were asked for last: others' checks are not the queue's. */
  let awaited: string | undefined;
  return {
    name: "merge",
    concurrency: 1,
    watches: [
      { kind: "Project", by: queueStanding, map: () => [theQueue] },
      { kind: "Workspace", by: declared, map: () => [theQueue] },
    ],
    signals: [
      {
        subscribe: (wake, signal) =>
          quality.subscribe((commit) => {
            if (commit === awaited) wake(theQueue);
          }, signal),
      },
      { subscribe: (wake, signal) => repository.subscribe(() => wake(theQueue), signal) },
    ],

    async reconcile(): Promise<Next> {
      const workspace = await theWorkspace(deps);
      if (workspace === undefined || workspace.spec.mode === "Stopped") return settled;
      const { items } = await client.list("Project", { namespace });

      const announced = items.find(({ status }) => status?.merge !== undefined);
      if (announced !== undefined) return isShown(announced) ? finish(announced) : settled;

      const followed = await followTarget(workspace, deps);
      // What a person does to files of the checkout wakes nobody.
      const waiting = followed.goesOn && !followed.inSync ? inSeconds(lookAgainSeconds) : settled;
      if (!followed.goesOn || workspace.spec.mode === "Paused") return waiting;

      // The first that does not wait for anything: a red or guarded one must not starve those behind it.
      for (const project of queue(items, workspace)) {
        const step = await look(project, workspace, followed.target);
        await act(step, project, followed.target);
        if (step.do !== "wait") return inSeconds(0);
        if (step.reason === "Checking") return waiting;
      }
      return waiting;
    },
  };

  async function look(project: Project, workspace: Workspace, target: string): Promise<Step> {
    const head = project.status?.submission?.head ?? "";
    const findings = await quality.inspect(target, head, workspace.spec.protectedPaths);
    const plan = await repository.planMerge({
      target,
      head,
      message: mergeMessage(project),
      identity: commitIdentity("merge-queue", workspace.spec.commits),
      dateSeconds:
        Math.floor(
          Date.parse(
            project.status?.conditions?.find(({ type }) => type === "Reviewed")?.lastTransitionTime ?? "",
          ) / 1000,
        ) || 0,
    });
    // Said before the asking: they may end at once.
    if (plan.is === "clean") awaited = plan.commit;
    const checks =
      plan.is === "clean" ? await quality.checks(plan.commit, workspace.spec.commands) : undefined;
    return decide(project, workspace, { target, findings, plan, checks });
  }

  async function act(step: Step, project: Project, target: string): Promise<void> {
    const status = project.status ?? {};
    const { submission } = status;
    if (submission === undefined) return;
    switch (step.do) {
      case "wait":
        await report(project, {}, "Unknown", step.reason, step.message);
        return;
      case "merge":
        await announce(project, target, step.to);
        return;
      case "reviewAgain": {
        const again = { ...submission, head: step.head };
        await report(
          project,
          { submission: again, head: step.head },
          "Unknown",
          "HeadMoved",
          "The rebased branch is another patch; it is reviewed again.",
        );
        return;
      }
      case "escalate": {
        const escalation = escalationFor(project, step.reason, {
          message: step.message,
          commit: submission.head,
        });
        await raise(escalation, deps);
        await report(project, { escalation: escalation.metadata.name }, "False", step.reason, step.message);
        events.event(project, "Warning", step.reason, step.message);
        return;
      }
      case "refuse": {
        const escalation =
          step.escalate === undefined
            ? undefined
            : escalationFor(project, step.escalate, {
                message:
                  `${(status.pendingConflicts ?? 0) + 1} attempts to merge failed. Resolved tries again, once the target no longer conflicts.\n${step.message}`.slice(
                    0,
                    4000,
                  ),
                commit: submission.head,
                conflictingFiles: step.files.slice(0, 200),
              });
        if (escalation !== undefined) await raise(escalation, deps);
        const failure = {
          head: submission.head,
          run: submission.run,
          reason: step.reason,
          message: step.message,
          target,
          files: step.files.slice(0, 200),
        };
        await report(
          project,
          {
            mergeFailure: failure,
            pendingConflicts: (status.pendingConflicts ?? 0) + 1,
            ...(escalation === undefined ? {} : { escalation: escalation.metadata.name }),
          },
          "False",
          step.reason,
          step.message,
        );
        events.event(project, "Warning", step.reason, step.message);
        return;
      }
    }
  }

  /** Says in status what is about to happen, so that after a crash the swap is made once or found made. */
  async function announce(project: Project, from: string, to: string): Promise<void> {
    const head = project.status?.submission?.head ?? "";
    const merge = { from, to, head, time: timestamp(clock.now()) };
    await report(
      project,
      { merge },
      "Unknown",
      "Merging",
      `The target moves from ${from.slice(0, 9)} to ${to.slice(0, 9)}.`,
    );
    failpoints.hit("intent-written");
  }

  /** Target contains new: done. Target is old: swap. Else the plan is stale: plan anew. */
  async function finish(project: Project): Promise<Next> {
    const merge = project.status?.merge;
    const { from, to } = merge ?? {};
    if (from === undefined || to === undefined) {
      await report(
        project,
        { merge: undefined },
        "Unknown",
        "Replanned",
        "The announced merge was incomplete.",
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
        "Unknown",
        "TargetMoved",
        "The target moved before the swap; the merge is planned anew.",
      );
      return inSeconds(0);
    }
    await report(
      project,
      { merge: undefined, mergeCommit: to, escalation: undefined },
      "True",
      "Merged",
      `Merged as ${to.slice(0, 9)}.`,
    );
    failpoints.hit("status-written");
    events.event(project, "Normal", "Merged", `Merged as ${to.slice(0, 9)}.`);
    return inSeconds(0);
  }

  async function report(
    project: Project,
    more: Partial<ProjectStatus>,
    status: "True" | "False" | "Unknown",
    reason: Reason,
    message: string,
  ): Promise<void> {
    const next: ProjectStatus = { ...project.status, ...more };
    await writeStatus(client, "Project", project, {
      ...next,
      conditions: withConditions(next.conditions, whenOf(clock, project), {
        type: "Merged",
        status,
        reason,
        message,
      }),
    });
  }
}
