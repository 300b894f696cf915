/** The effects of a Review's plan. Each is safe to repeat after a crash; none decides anything. */
import { escalationFor } from "../../pkg/api/escalations.ts";
import type { Project, ProjectStatus, Review } from "../../pkg/api/generated.ts";
import { keyOf } from "../../pkg/api/meta.ts";
import { API_VERSION, PROJECT_LABEL } from "../../pkg/api/names.ts";
import { projectOwner } from "../../pkg/api/project-owner.ts";
import { isAlreadyExists } from "../../pkg/api/status-error.ts";
import type { ChecksObservation, Finding } from "../../pkg/quality/quality.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import type { Judgement } from "../../pkg/session/sessions.ts";
import { type Deps, whenOf, withConditions } from "../deps.ts";
import { raise } from "../raise.ts";
import type { Observation, Step } from "./decide.ts";
import { reviewName } from "./review-name.ts";

/** @returns what of the Project's status it makes so */
export async function act(
  step: Step,
  project: Project,
  seen: Observation,
  deps: Deps,
): Promise<Partial<ProjectStatus>> {
  const status = project.status ?? {};
  const { submission, review } = seen;
  switch (step.do) {
    case "nothing":
      return {};
    case "createReview":
      await createReview(project, seen, deps);
      return { review: reviewName(project) };
    case "settle":
      if (review !== undefined) await settle(review, step.judgement, seen, deps);
      return {};
    case "reopen":
      if (review !== undefined) await reopen(review, step.timedOut, seen, deps);
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

async function createReview(
  project: Project,
  { submission, checks, findings }: Observation,
  deps: Deps,
): Promise<void> {
  const { client, namespace } = deps;
  const name = reviewName(project);
  await cancelOthers(project, name, deps);
  const review: Review = {
    apiVersion: API_VERSION,
    kind: "Review",
    metadata: {
      name,
      namespace,
      labels: { [PROJECT_LABEL]: project.metadata.name },
      ownerReferences: [{ ...projectOwner(project), controller: true }],
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
  const created = await createOnce(review, deps);
  if (created?.status?.state === undefined && created !== undefined)
    await writeStatus(client, "Review", created, {
      ...created.status,
      state: "Pending",
      ...shown(checks, findings),
    });
}

/**
 * Ends the other reviews of the Project: nobody settles them any more, and whoever has one would wait for that for ever.
 * A person may decide on a review that timed out before its agent has let go of it.
 */
async function cancelOthers(project: Project, name: string, { client, namespace }: Deps): Promise<void> {
  const { items } = await client.list("Review", { namespace });
  for (const review of items) {
    const { spec, status, metadata } = review;
    const isOpen = status?.state === "Pending" || status?.state === "Reviewing";
    if (!isOpen || spec.project !== project.metadata.name || metadata.name === name) continue;
    await writeStatus(client, "Review", review, { ...status, state: "Cancelled", claim: undefined });
  }
}

async function createOnce(review: Review, { client }: Deps): Promise<Review | undefined> {
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
  { checks, findings }: Observation,
  { client, clock, failpoints }: Deps,
): Promise<void> {
  const { verdict, criteria, standards, feedback } = judgement;
  // Texts and lists are cut to what crds/review.yaml takes.
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

async function reopen(
  review: Review,
  timedOut: boolean,
  { checks, findings }: Observation,
  { client }: Deps,
): Promise<void> {
  const timeouts = (review.status?.timeouts ?? 0) + (timedOut ? 1 : 0);
  await writeStatus(client, "Review", review, {
    ...review.status,
    ...shown(checks, findings),
    state: "Pending",
    claim: undefined,
    timeouts,
  });
}

/** What a Review says of its commit by itself, cut to what crds/review.yaml takes. */
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
