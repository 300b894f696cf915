/** Creates Reviews for what authors hand over, and settles them: where a verdict is decided. */
import { getCondition } from "../../pkg/api/conditions.ts";
import type { Agent, Project, ProjectStatus, Review } from "../../pkg/api/generated.ts";
import { keyOf, type ObjectKey } from "../../pkg/api/meta.ts";
import { pendingSubmission, pendingVerdict, phaseOf } from "../../pkg/api/phases.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import { type Deps, theWorkspace, unlessItFails, whenOf, withConditions } from "../deps.ts";
import { declared, isShown, projectFactsIn, reviewFacts, reviewing } from "../facts.ts";
import { act } from "./act.ts";
import { decide, type Observation, type Plan, waiting } from "./decide.ts";
import { glanceAt, observe } from "./observe.ts";

export function reviewController(deps: Deps): Controller {
  const { client, clock, namespace, quality, events } = deps;
  return {
    name: "review",
    concurrency: 4,
    watches: [
      { kind: "Project", by: projectFactsIn("InReview") },
      {
        kind: "Review",
        by: reviewFacts,
        map: (object) => [{ namespace, name: (object as Review).spec.project }],
      },
      { kind: "Agent", by: declared, map: (object) => waitingFor(object as Agent) },
      // Who begins to review is known by its claim: what it does from then on is looked at once it has stopped.
      { kind: "Agent", by: reviewing, map: (object, as) => (as === "was" ? inHandOf(object as Agent) : []) },
      { kind: "AgentPool", by: declared, map: inReview },
      { kind: "Workspace", by: declared, map: inReview },
    ],
    signals: [
      {
        subscribe: (wake, signal) =>
          quality.subscribe((commit) => unlessItFails(wakeByCommit(commit, wake)), signal),
      },
    ],

    async reconcile(key: ObjectKey): Promise<Next> {
      const project = await client.get("Project", key);
      if (project === undefined || project.metadata.deletionTimestamp !== undefined) return settled;
      const submission = pendingSubmission(project.status ?? {});
      const phase = phaseOf(project);
      if (submission === undefined || phase !== "InReview" || !isShown(project)) return settled;
      const workspace = await theWorkspace(deps);
      if (workspace === undefined || workspace.spec.mode === "Stopped") return settled;

      const { glance, next } = await glanceAt(project, { workspace, submission }, deps);
      const wait = waiting(project, glance);
      if (wait !== undefined) {
        await report(project, wait, {});
        return next;
      }

      const seen = await observe(project, glance, deps);
      const plan = decide(project, seen);
      const more = await act(plan.step, project, seen, deps);
      await report(project, plan, { ...named(seen), ...more });
      return plan.step.do === "nothing" ? next : inSeconds(0);
    },
  };

  async function report(project: Project, plan: Plan, more: Partial<ProjectStatus>): Promise<void> {
    const status = { ...project.status, ...more };
    const written = await writeStatus(client, "Project", project, {
      ...status,
      conditions: withConditions(
        status.conditions,
        whenOf(clock, project),
        plan.checksPassed,
        plan.reviewed,
        plan.reviewerAvailable,
      ),
    });
    if (written === undefined) return;
    if (plan.step.do === "decide")
      events.event(
        written,
        plan.step.result === "Approved" ? "Normal" : "Warning",
        plan.reviewed.reason,
        plan.reviewed.message,
      );
    if (plan.step.do === "escalate") events.event(written, "Warning", plan.step.reason, plan.step.message);
    if (plan.reviewerAvailable?.status === "False" && !lacksReviewer(project))
      events.event(written, "Warning", "NoReviewer", plan.reviewerAvailable.message);
  }

  async function inReview(): Promise<readonly ObjectKey[]> {
    const { items } = await client.list("Project", { namespace });
    return items
      .filter(
        ({ status }) =>
          status !== undefined &&
          pendingSubmission(status) !== undefined &&
          pendingVerdict(status) === undefined,
      )
      .map(keyOf);
  }

  /** Whether there is a reviewer changes when agents come, go or are paused. */
  async function waitingFor(agent: Agent): Promise<readonly ObjectKey[]> {
    return agent.spec.role === "Review" ? inReview() : [];
  }

  async function inHandOf({ status }: Agent): Promise<readonly ObjectKey[]> {
    if (status?.review === undefined) return [];
    const review = await client.get("Review", { namespace, name: status.review });
    return review === undefined ? [] : [{ namespace, name: review.spec.project }];
  }

  async function wakeByCommit(commit: string, wake: (key: ObjectKey) => void): Promise<void> {
    const { items } = await client.list("Project", { namespace });
    for (const project of items) if (project.status?.submission?.head === commit) wake(keyOf(project));
  }
}

function lacksReviewer({ status }: Project): boolean {
  return getCondition(status?.conditions, "ReviewerAvailable")?.status === "False";
}

/** The Review that the Project waits for, also where a crash kept its making from being reported. */
function named({ review }: Observation): Partial<ProjectStatus> {
  return review === undefined ? {} : { review: review.metadata.name };
}
