/** The serial merge queue: approved work becomes part of the target, one Project at a time. */
import type { Project, Workspace } from "../../pkg/api/generated.ts";
import type { ObjectKey } from "../../pkg/api/meta.ts";
import { commitIdentity } from "../../pkg/api/names.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { type Deps, theWorkspace } from "../deps.ts";
import { declared, isShown, queueStanding } from "../facts.ts";
import { act, finish } from "./act.ts";
import { decide, queue, type Step } from "./decide.ts";
import { mergeMessage } from "./message.ts";
import { followTarget } from "./target.ts";

/** How often a branch that could not follow is tried again when nothing wakes us, in seconds. */
const lookAgainSeconds = 30;

export function mergeController(deps: Deps): Controller {
  const { client, namespace, quality, repository } = deps;
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
      if (announced !== undefined) return isShown(announced) ? finish(announced, deps) : settled;

      const followed = await followTarget(workspace, deps);
      // What a person does to files of the checkout wakes nobody.
      const waiting = followed.goesOn && !followed.inSync ? inSeconds(lookAgainSeconds) : settled;
      if (!followed.goesOn || workspace.spec.mode === "Paused") return waiting;

      // The first that does not wait for anything: a red or guarded one must not starve those behind it.
      for (const project of queue(items, workspace)) {
        const step = await look(project, workspace, followed.target);
        await act(step, project, followed.target, deps);
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
}
