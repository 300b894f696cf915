/** Creates Reviews for what authors hand over, and settles them: where a verdict is decided. */
import { getCondition } from "../../pkg/api/conditions.ts";
import { escalationFor } from "../../pkg/api/escalations.ts";
import type { Agent, Project, ProjectStatus, Review } from "../../pkg/api/generated.ts";
import { keyOf, type ObjectKey } from "../../pkg/api/meta.ts";
import { API_VERSION, PROJECT_LABEL } from "../../pkg/api/names.ts";
import { pendingSubmission, pendingVerdict, phaseOf } from "../../pkg/api/phases.ts";
import { isAlreadyExists } from "../../pkg/api/status-error.ts";
import type { ChecksObservation, Finding } from "../../pkg/quality/quality.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { type Controller, inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import type { Judgement } from "../../pkg/session/sessions.ts";
import { type Deps, theWorkspace, unlessItFails, whenOf, withConditions } from "../deps.ts";
import { declared, projectFactsIn, reviewerStanding, reviewFacts } from "../facts.ts";
import { raise } from "../raise.ts";
import { decide, type Glance, type Observation, type Plan, type Step, waiting } from "./decide.ts";

/** How often a submission is looked at when nothing wakes us, in seconds: its checks and its reviewer do. */
const lookAgainSeconds = 300;
/** And at most so often one whose time is nearly over. */
const lookAtMostSeconds = 60;
/** And how soon a session that could not be seen. */
const unknownAgainSeconds = 10;

export function reviewController(deps: Deps): Controller {
  const { client, clock, namespace, quality, sessions, failpoints, events } = deps;
  return {
    name: "review",
    concurrency: 4,
    watches: [
      { kind: "Project", by: projectFactsIn(["InReview"]) },
      {
        kind: "Review",
        by: reviewFacts,
        map: (object) => [{ namespace, name: (object as Review).spec.project }],
      },
      { kind: "Agent", by: declared, map: (object) => waitingFor(object as Agent) },
      { kind: "Agent", by: reviewerStanding, map: (object) => inHandOf(object as Agent) },
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
      if (submission === undefined || phase !== "InReview") return settled;
      const workspace = await theWorkspace(deps);
      if (workspace === undefined || workspace.spec.mode === "Stopped") return settled;

      const { glance, next } = await glanceAt(project, { workspace, submission });
      const wait = waiting(project, glance);
      if (wait !== undefined) {
        await report(project, wait, {});
        return next;
      }

      const seen = await observe(project, glance);
      const plan = decide(project, seen);
      const more = await act(plan.step, project, seen);
      await report(project, plan, { ...named(seen), ...more });
      return plan.step.do === "nothing" ? next : inSeconds(0);
    },
  };

  async function observe(project: Project, glance: Glance): Promise<Observation> {
    const { workspace, submission } = glance;
    // Begun first, looked at meanwhile: what there is to say of the commit is known when its checks are.
    const checks = await quality.checks(submission.head, workspace.spec.commands);
    const base = project.status?.base ?? "";
    const findings = await quality.inspect(base, submission.head, workspace.spec.protectedPaths);
    return { ...glance, checks, findings };
  }

  async function glanceAt(
    project: Project,
    given: Pick<Glance, "workspace" | "submission">,
  ): Promise<{ glance: Glance; next: Next }> {
    const { submission } = given;
    const review = await client.get("Review", { namespace, name: reviewName(project) });
    const { items: pools } = await client.list("AgentPool", { namespace });
    const { items: agents } = await client.list("Agent", { namespace });
    const open = new Set(
      pools.filter(({ spec }) => spec.role === "Review" && !spec.paused).map(({ metadata }) => metadata.name),
    );
    const reviewers = agents.filter(
      ({ spec, metadata }) =>
        spec.role === "Review" && open.has(spec.pool) && !spec.paused && metadata.name !== submission.agent,
    );
    const reviewer = agents.find(({ metadata }) => metadata.uid === review?.status?.claim?.agentUID);
    const reviewSecondsMax = given.workspace.spec.limits.reviewSeconds;
    const { next, ...seen } = await progress(review, { reviewer, reviewSecondsMax });
    return {
      glance: { ...given, review, reviewers, pools, ...seen, reviewerLives: reviewer !== undefined },
      next,
    };
  }

  /**
   * An agent that reviews says how long. Its session is asked when it no longer says so, and when it may have taken
   * longer than it should.
   */
  async function progress(
    review: Review | undefined,
    { reviewer, reviewSecondsMax }: { reviewer: Agent | undefined; reviewSecondsMax: number },
  ): Promise<Pick<Glance, "judgement" | "liveSeconds"> & { next: Next }> {
    const { claim, verdict, state } = review?.status ?? {};
    // Who waits for a reviewer is woken when one takes it.
    if (claim === undefined || verdict !== undefined)
      return {
        judgement: undefined,
        liveSeconds: 0,
        next: state === "Pending" ? settled : inSeconds(lookAgainSeconds),
      };
    const { session, conditions } = reviewer?.status ?? {};
    if (session?.id === claim.session && getCondition(conditions, "Ready")?.reason === "Reviewing") {
      const sinceMs = Math.max(0, clock.now() - Date.parse(session.lastLookTime ?? claim.time ?? ""));
      const liveSeconds = (session.liveSeconds ?? 0) + Math.ceil(sinceMs / 1000);
      const leftSeconds = reviewSecondsMax - liveSeconds;
      if (leftSeconds > 0)
        return {
          judgement: undefined,
          liveSeconds,
          next: inSeconds(Math.max(lookAtMostSeconds, leftSeconds)),
        };
    }
    const seen = await sessions.find(claim.session);
    const report = seen.is === "unknown" ? undefined : seen.report;
    const outcome = report?.outcome;
    const liveSeconds = report?.liveSeconds ?? 0;
    const leftSeconds = seen.is === "present" ? reviewSecondsMax - liveSeconds : lookAgainSeconds;
    return {
      judgement: outcome?.kind === "Judged" ? outcome.judgement : undefined,
      liveSeconds,
      // Nobody says when a session can be seen again.
      next: inSeconds(
        seen.is === "unknown"
          ? unknownAgainSeconds
          : Math.max(lookAtMostSeconds, Math.min(lookAgainSeconds, leftSeconds)),
      ),
    };
  }

  async function act(step: Step, project: Project, seen: Observation): Promise<Partial<ProjectStatus>> {
    const status = project.status ?? {};
    const { submission, review } = seen;
    switch (step.do) {
      case "nothing":
        return {};
      case "createReview":
        await createReview(project, seen);
        return { review: reviewName(project) };
      case "settle":
        if (review !== undefined) await settle(review, step.judgement, seen.checks, seen.findings);
        return {};
      case "reopen":
        if (review !== undefined) await reopen(review, step.timedOut, seen);
        return {};
      case "escalate": {
        const escalation = escalationFor(project, step.reason, {
          message: step.message,
          commit: submission.head,
        });
        await raise(escalation, deps);
        return { escalation: escalation.metadata.name };
      }
      case "decide": {
        const escalation =
          step.escalate === undefined
            ? undefined
            : escalationFor(project, step.escalate, {
                message: `${(status.reviewCycles ?? 0) + 1} reviews asked for changes. Approve takes the work as it is, Rework grants one more cycle with your note.`,
                commit: submission.head,
                perspectives: { author: submission.summary ?? "", reviewer: step.feedback },
              });
        if (escalation !== undefined) await raise(escalation, deps);
        return {
          verdict: {
            head: submission.head,
            run: submission.run,
            result: step.result,
            by: step.by,
            feedback: step.feedback,
            ...(review === undefined ? {} : { review: review.metadata.name }),
          },
          // What a person sends back is no review that asked for changes.
          ...(step.result === "ChangesRequested" && step.by !== "person"
            ? { reviewCycles: (status.reviewCycles ?? 0) + 1 }
            : {}),
          ...(escalation === undefined ? {} : { escalation: escalation.metadata.name }),
        };
      }
    }
  }

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

  async function createReview(
    project: Project,
    { submission, checks, findings }: Observation,
  ): Promise<void> {
    const name = reviewName(project);
    const review: Review = {
      apiVersion: API_VERSION,
      kind: "Review",
      metadata: {
        name,
        namespace,
        labels: { [PROJECT_LABEL]: project.metadata.name },
        ownerReferences: [
          {
            apiVersion: API_VERSION,
            kind: "Project",
            name: project.metadata.name,
            uid: project.metadata.uid ?? "",
            controller: true,
          },
        ],
      },
      spec: {
        project: project.metadata.name,
        type: "Completion",
        cycle: (project.status?.reviewCycles ?? 0) + 1,
        baseCommit: project.status?.base ?? "",
        headCommit: submission.head,
        author: submission.agent,
        ...(submission.summary === undefined ? {} : { summary: submission.summary }),
        criteria: project.status?.claim?.criteria ?? project.spec.acceptanceCriteria ?? [],
      },
    };
    const created = await createOnce(review);
    if (created?.status?.state === undefined && created !== undefined)
      await writeStatus(client, "Review", created, {
        ...created.status,
        state: "Pending",
        ...shown(checks, findings),
      });
  }

  async function createOnce(review: Review): Promise<Review | undefined> {
    try {
      return await client.create("Review", review);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return client.get("Review", keyOf(review));
    }
  }

  async function settle(
    review: Review,
    judgement: Judgement,
    checks: ChecksObservation,
    findings: readonly Finding[],
  ): Promise<void> {
    const { verdict, criteria, standards, feedback } = judgement;
    const own = shown(checks, findings);
    const reviewer = review.status?.claim?.agent;
    await writeStatus(client, "Review", review, {
      ...review.status,
      ...own,
      state: "Settled",
      verdict,
      ...(reviewer === undefined ? {} : { reviewer }),
      criteria: criteria.map((entry) => ({ ...entry, evidence: entry.evidence.slice(0, 4000) })),
      standards: standards.map((entry) => ({ ...entry, evidence: entry.evidence.slice(0, 4000) })),
      findings: [...own.findings, ...judgement.findings.map((entry) => entry.slice(0, 2000))].slice(0, 100),
      feedback: feedback.slice(0, 16_384),
      observedGeneration: review.metadata.generation,
      conditions: withConditions(review.status?.conditions, whenOf(clock, review), {
        type: "Succeeded",
        status: "True",
        reason: verdict,
        message: `${reviewer} judged ${review.spec.headCommit.slice(0, 9)} at ${timestamp(clock.now())}.`,
      }),
    });
    failpoints.hit("review-settled");
  }

  async function reopen(review: Review, timedOut: boolean, { checks, findings }: Observation): Promise<void> {
    const timeouts = (review.status?.timeouts ?? 0) + (timedOut ? 1 : 0);
    await writeStatus(client, "Review", review, {
      ...review.status,
      ...shown(checks, findings),
      state: "Pending",
      claim: undefined,
      timeouts,
    });
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

/** One Review for each submission, whatever is repeated after a crash. */
function reviewName(project: Project): string {
  const { run = 0, head = "" } = project.status?.submission ?? {};
  const resolved =
    project.status?.resolutions?.filter(({ reason }) => reason === "ReviewTimedOut").length ?? 0;
  const again = resolved === 0 ? "" : `-${resolved}`;
  return `${project.metadata.name}-${run}-${head.slice(0, 7)}${again}`;
}

function shown(checks: ChecksObservation, findings: readonly Finding[]) {
  return {
    checks:
      checks.is === "running"
        ? []
        : checks.results.map(({ name, result, seconds, output }) => ({
            name,
            result,
            seconds,
            output: output.slice(-4000),
          })),
    findings: findings
      .map(({ kind, path, message }) => `${kind} ${path}: ${message}`.slice(0, 2000))
      .slice(0, 50),
  };
}
