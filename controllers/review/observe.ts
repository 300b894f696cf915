/** What a Review's decision is based on: read from caches, sessions and checks, nothing is changed. */
import { getCondition } from "../../pkg/api/conditions.ts";
import type { Agent, Project, Review } from "../../pkg/api/generated.ts";
import { inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import type { Deps } from "../deps.ts";
import type { Glance, Observation } from "./decide.ts";
import { reviewName } from "./review-name.ts";

/** How often a submission is looked at when nothing wakes us, in seconds: its checks and its reviewer do. */
const lookAgainSeconds = 300;
/** And at most so often one whose time is nearly over. */
const lookAtMostSeconds = 60;
/** And how soon a session that could not be seen. */
const unknownAgainSeconds = 10;

/** What can be told of a submission without its checks, and when to look again should nothing wake us. */
export async function glanceAt(
  project: Project,
  given: Pick<Glance, "workspace" | "submission">,
  deps: Deps,
): Promise<{ glance: Glance; next: Next }> {
  const { client, namespace } = deps;
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
  const { next, ...seen } = await progress(review, { reviewer, reviewSecondsMax }, deps);
  return {
    glance: { ...given, review, reviewers, pools, ...seen, reviewerLives: reviewer !== undefined },
    next,
  };
}

/** `glance`, with what is known of the commit: to be asked for only when there is something to decide. */
export async function observe(project: Project, glance: Glance, { quality }: Deps): Promise<Observation> {
  const { workspace, submission } = glance;
  // Begun first, looked at meanwhile: what there is to say of the commit is known when its checks are.
  const checks = await quality.checks(submission.head, workspace.spec.commands);
  const base = project.status?.base ?? "";
  const findings = await quality.inspect(base, submission.head, workspace.spec.protectedPaths);
  return { ...glance, checks, findings };
}

/**
 * An agent that reviews says how long. Its session is asked when it no longer says so, and when it may have taken
 * longer than it should.
 */
async function progress(
  review: Review | undefined,
  { reviewer, reviewSecondsMax }: { reviewer: Agent | undefined; reviewSecondsMax: number },
  { clock, sessions }: Deps,
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
