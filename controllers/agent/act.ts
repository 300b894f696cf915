/** The effects of an Agent's plan. Each is safe to repeat after a crash; none decides anything. */
import type { Agent, Project, ProjectClaim, ProjectStatus, Review } from "../../pkg/api/generated.ts";
import { keyOf } from "../../pkg/api/meta.ts";
import { agentId, branchName, commitIdentity, WORK_FINALIZER } from "../../pkg/api/names.ts";
import { pendingMergeFailure, pendingSubmission, pendingVerdict } from "../../pkg/api/phases.ts";
import { isConflict, isNotFound } from "../../pkg/api/status-error.ts";
import type { GitClaim } from "../../pkg/git/repository.ts";
import { timestamp } from "../../pkg/runtime/clock.ts";
import { TerminalError, TransientError } from "../../pkg/runtime/errors.ts";
import { writeStatus } from "../../pkg/runtime/status-writer.ts";
import type { Outcome, SessionObservation } from "../../pkg/session/sessions.ts";
import { type Deps, whenOf, withConditions } from "../deps.ts";
import { reasonToRelease } from "./decide.ts";
import { gitClaim, type Observation, type Work } from "./observe.ts";
import type { Action } from "./plan.ts";
import { sessionSpec } from "./session-spec.ts";

/** @returns the session as a start has left it; undefined for what starts none */
export async function act(
  action: Action,
  agent: Agent,
  seen: Observation,
  deps: Deps,
): Promise<SessionObservation | undefined> {
  if (action.do === "start") return start(action.work, agent, seen, deps);
  await change(action, agent, seen, deps);
  return undefined;
}

async function change(
  action: Exclude<Action, { do: "start" }>,
  agent: Agent,
  seen: Observation,
  deps: Deps,
): Promise<void> {
  switch (action.do) {
    case "nothing":
      return;
    case "claim":
      return claim(action.target, agent, deps);
    case "stop":
      return deps.sessions.stop(action.session, action.how);
    case "submit":
      return submit(action.work, action.outcome, seen, deps);
    case "rework":
      return rework(action.work, seen, deps);
    case "release":
      return release(action.work, agent, seen, deps);
    case "giveBack":
      return giveBack(action.work, deps);
    case "forget":
      return forget(agent, deps);
    case "finalize":
      return finalize(agent, deps);
  }
}

/**
 * Where a claim is made: one update of the object, on the condition that nobody wrote it since it was read, so that
 * exactly one agent wins. The criteria are copied, so that nobody edits what the work is judged by.
 */
async function claim(target: Project | Review, agent: Agent, deps: Deps): Promise<void> {
  const { client, clock, ids, repository, sessions } = deps;
  // The ref remembers claims that a lost control plane does not: a number is never given twice.
  const mirrored = target.kind === "Project" ? await repository.claimNumber(target.metadata.name) : 0;
  const who = {
    agent: agent.metadata.name,
    agentUID: agent.metadata.uid ?? "",
    number: Math.max(target.status?.claimNumber ?? 0, mirrored) + 1,
    session: sessions.spareId() ?? ids.uuid(),
    time: timestamp(clock.now()),
  };
  if (target.kind === "Review") {
    const status = { ...target.status, state: "Reviewing" as const, claimNumber: who.number, claim: who };
    await writeStatus(client, "Review", target, status);
  } else {
    await writeStatus(client, "Project", target, claimed(target, who, clock));
  }
  deps.failpoints.hit("claim-written");
}

function claimed(project: Project, who: Omit<ProjectClaim, "run">, clock: Deps["clock"]): ProjectStatus {
  const status = project.status ?? {};
  const asked = openingMessage(status);
  const claim: ProjectClaim = {
    ...who,
    run: (pendingSubmission(status)?.run ?? 0) + 1,
    branch: branchName(who.agent, status.number ?? 0),
    ...(status.head === undefined ? {} : { from: status.head }),
    ...(asked === undefined ? {} : { message: asked }),
    criteria: project.spec.acceptanceCriteria ?? [],
  };
  const condition = {
    type: "Claimed",
    status: "True",
    reason: "Claimed",
    message: `Claimed by ${who.agent}.`,
  } as const;
  return {
    ...status,
    claimNumber: who.number,
    claim,
    conditions: withConditions(status.conditions, whenOf(clock, project), condition),
  };
}

/** What the review, the merge or a person asks for; undefined for a first run. */
function openingMessage(status: ProjectStatus): string | undefined {
  const failure = pendingMergeFailure(status);
  const asked = failure?.message ?? pendingVerdict(status)?.feedback;
  const decided = status.resolutions?.at(-1);
  const note =
    decided?.note === undefined ? undefined : `A person decided ${decided.action}: ${decided.note}`;
  const parts = [asked, note].filter((part) => part !== undefined && part !== "");
  return parts.length === 0 ? undefined : parts.join("\n\n").slice(0, 16_384);
}

async function start(work: Work, agent: Agent, seen: Observation, deps: Deps): Promise<SessionObservation> {
  const { repository, sessions } = deps;
  const { workspace, pool } = seen;
  if (workspace === undefined || pool === undefined)
    throw new TransientError(
      "PoolMissing",
      `The AgentPool ${agent.spec.pool} of ${agent.metadata.name} is missing.`,
    );
  const claim = gitClaim(work);
  const identity = commitIdentity(agent.metadata.name, workspace.spec.commits);
  const purpose = work.kind === "Project" ? "execute" : "review";
  // A review moves no ref, so there is nothing to fence.
  if (work.kind === "Project") await repository.recordClaim(claim);
  const checkout = await repository.ensureCheckout(
    claim,
    work.kind === "Project"
      ? {
          branch: work.claim.branch ?? "",
          from: work.project.status?.head ?? work.claim.from,
          identity,
          purpose,
        }
      : { branch: "", from: work.review.spec.headCommit, identity, purpose },
  );
  return sessions.start(await sessionSpec(work, agent, checkout, workspace, pool, deps));
}

async function submit(
  work: Work & { kind: "Project" },
  outcome: Outcome & { kind: "Finished" },
  seen: Observation,
  deps: Deps,
): Promise<void> {
  const { client, repository } = deps;
  const { project, claim } = work;
  const branch = claim.branch ?? "";
  const head = await collectUnlessLost(work, branch, deps);
  if (head === undefined) return redo(work, deps);
  const target = await repository.target();
  // What the branch changes is judged against the target as it is now: it may have been merged in meanwhile.
  if (target.is !== "present") {
    const why = target.is === "unknown" ? target.why : "it is not there";
    throw new TransientError(
      "TargetUnknown",
      `The target can't be seen, and what the branch changes with it: ${why}`,
    );
  }
  const base = target.value;
  const evidence = outcome.evidence.map((entry) => `${entry.criterion}: ${entry.evidence}`);
  const submission = {
    head,
    run: claim.run,
    claim: claim.number,
    agent: claim.agent,
    summary: [outcome.summary, ...evidence].join("\n").slice(0, 8192),
  };
  const report = seen.session?.is === "absent" ? seen.session.report : undefined;
  await writeStatus(client, "Project", project, {
    ...project.status,
    branch,
    base,
    head,
    submission,
    tasksDone: [...(report?.tasksDone ?? project.status?.tasksDone ?? [])],
  });
}

/** What `collect` refuses for the checkout's sake, however often it is tried. */
const lastingRefusals: ReadonlySet<string> = new Set(["CheckoutDamaged", "BranchMissing"]);

/**
 * The head of what was handed over; undefined when there is no checkout any more: somebody removed it, or all the folder
 * of state, before its work was collected. One that is there and can't be read is put aside, for a person to look at.
 *
 * @throws TerminalError when that happens twice in a row: what damages it costs a run each time
 */
async function collectUnlessLost(
  work: Work & { kind: "Project" },
  branch: string,
  deps: Deps,
): Promise<string | undefined> {
  const { repository } = deps;
  try {
    return await repository.collect(gitClaim(work), branch);
  } catch (error) {
    if (!(error instanceof TerminalError && lastingRefusals.has(error.reason))) throw error;
    const checkout = await repository.checkoutState(gitClaim(work), "execute");
    if (checkout.is === "absent") return undefined;
    const cannotBeSeen = checkout.is === "unknown" && checkout.isDamaged !== true;
    if (cannotBeSeen || isOpenedByLoss(work.claim)) throw error;
    await letGo(gitClaim(work), "execute", work.project, deps);
    return undefined;
  }
}

function isOpenedByLoss({ run, lostRun }: ProjectClaim): boolean {
  return lostRun === run - 1;
}

/** Opens the next run for what this one had handed over, which is lost. */
async function redo(work: Work & { kind: "Project" }, deps: Deps): Promise<void> {
  const message =
    "Your checkout was lost before what you handed over was taken from it. There is a new one, with what had been kept: " +
    "look at it, do again what is missing, then hand it over again.";
  await openRun({ ...work, claim: { ...work.claim, lostRun: work.claim.run } }, message, deps);
}

/** Opens the next run: from here on the submission counts as answered. */
async function rework(work: Work & { kind: "Project" }, _seen: Observation, deps: Deps): Promise<void> {
  await openRun(work, openingMessage(work.project.status ?? {}), deps);
}

async function openRun(
  { project, claim }: Work & { kind: "Project" },
  message: string | undefined,
  { client, sessions }: Deps,
): Promise<void> {
  sessions.expect(claim.session);
  await writeStatus(client, "Project", project, {
    ...project.status,
    claim: { ...claim, run: claim.run + 1, message },
  });
}

/**
 * Nothing is lost: what is uncommitted is committed, what is committed is collected, then the claim is let go. A checkout
 * that is damaged is put aside as it is.
 */
async function release(
  work: Work,
  agent: Agent,
  { workspace, session }: Observation,
  deps: Deps,
): Promise<void> {
  const { client, clock, repository, money } = deps;
  const claim = gitClaim(work);
  await money.dismiss(work.claim.session);
  if (work.kind === "Review") {
    await letGo(claim, "review", work.review, deps);
    // A reviewer that leaves makes room for another; a review that nobody wants any more ends.
    const state = agent.metadata.deletionTimestamp === undefined ? "Cancelled" : "Pending";
    await writeStatus(client, "Review", work.review, { ...work.review.status, state, claim: undefined });
    return;
  }
  const branch = work.claim.branch ?? "";
  const saved = await repository.saveWork(
    claim,
    `Save unfinished work on ${claim.project}`,
    commitIdentity(agent.metadata.name, workspace?.spec.commits),
  );
  if (saved.is === "unknown" && saved.isDamaged !== true)
    throw new TransientError("CheckoutUnknown", `The checkout can't be seen: ${saved.why}`);
  const collected = saved.is === "present" ? await collectOwn(work, branch, deps) : undefined;
  const project = await stillToRelease(work, agent, workspace === undefined, deps);
  const status = project.status ?? {};
  const head = collected ?? status.head;
  const lived = session?.is === "absent" ? Math.floor(session.report?.liveSeconds ?? 0) : known(work, agent);
  const condition = {
    type: "Claimed",
    status: "False",
    reason: "Released",
    message: `Released by ${claim.agent}.`,
  } as const;
  await writeStatus(client, "Project", project, {
    ...status,
    claim: undefined,
    ...(head === undefined ? {} : { head, branch }),
    workedSeconds: (status.workedSeconds ?? 0) + lived,
    conditions: withConditions(status.conditions, whenOf(clock, project), condition),
  });
  // Only now: a write that is lost is repeated, and has to find the head in the checkout again.
  await letGo(claim, "execute", project, deps);
}

/**
 * The Project as it is now: what was saved meanwhile took a while, in which others write, as after each merge. Whoever
 * would be refused for it would save and collect all over again.
 *
 * @throws TransientError Conflict when it is no longer to be let go: look again
 */
async function stillToRelease(
  work: Work & { kind: "Project" },
  agent: Agent,
  noWorkspace: boolean,
  { client }: Deps,
): Promise<Project> {
  const { project, claim } = work;
  const now = await client.get("Project", keyOf(project));
  const same = now?.metadata.uid === project.metadata.uid && now?.status?.claim?.session === claim.session;
  if (
    now === undefined ||
    !same ||
    reasonToRelease(agent, { ...work, project: now }, noWorkspace) === undefined
  )
    throw new TransientError("Conflict", `${project.metadata.name} is not to be released any more.`);
  return now;
}

/** Takes the claim's checkout away. One that holds what is nowhere else is put aside, and people are told. */
async function letGo(
  claim: GitClaim,
  purpose: "execute" | "review",
  about: Agent | Project | Review,
  { repository, events }: Deps,
): Promise<void> {
  if ((await repository.release(claim, purpose)) !== "quarantined") return;
  events.event(
    about,
    "Warning",
    "CheckoutPutAside",
    `The checkout of ${claim.agent} for claim ${claim.number} of ${claim.project} holds what is nowhere else. ` +
      "It was put aside and stays; `bosun doctor` says where.",
  );
}

/** How long the session lived, as the status has it: one that was handed over is not looked at again. */
function known({ claim }: Work, { status }: Agent): number {
  return status?.session?.id === claim.session ? (status.session.liveSeconds ?? 0) : 0;
}

async function giveBack({ review, claim }: Work & { kind: "Review" }, deps: Deps): Promise<void> {
  const { client, money } = deps;
  await money.dismiss(claim.session);
  const held = { project: review.metadata.name, number: claim.number, agent: claim.agent };
  await letGo(held, "review", review, deps);
  await writeStatus(client, "Review", review, {
    ...review.status,
    state: "Pending",
    claim: undefined,
    timeouts: (review.status?.timeouts ?? 0) + 1,
  });
}

/** The branch's commit, or what is known already where a newer claim has fenced this one off. */
async function collectOwn(
  work: Work & { kind: "Project" },
  branch: string,
  { repository }: Deps,
): Promise<string | undefined> {
  try {
    return await repository.collect(gitClaim(work), branch);
  } catch (error) {
    if (error instanceof TerminalError) return work.project.status?.head;
    throw error;
  }
}

/** The claim is gone, so its number and Project are known from the status alone. The checkout is kept if it holds anything. */
async function forget(agent: Agent, deps: Deps): Promise<void> {
  const { session, project, review } = agent.status ?? {};
  if (session === undefined) return;
  await deps.money.dismiss(session.id);
  const name = review ?? project;
  if (name !== undefined && session.claim !== undefined) {
    const claim = { project: name, number: session.claim, agent: agent.metadata.name };
    await letGo(claim, review === undefined ? "execute" : "review", agent, deps);
  }
}

async function finalize(agent: Agent, { client }: Deps): Promise<void> {
  if (agentId(agent.metadata.name) === undefined && agent.metadata.finalizers === undefined) return;
  const finalizers = (agent.metadata.finalizers ?? []).filter((entry) => entry !== WORK_FINALIZER);
  try {
    await client.update("Agent", { ...agent, metadata: { ...agent.metadata, finalizers } });
  } catch (error) {
    if (isNotFound(error)) return;
    if (isConflict(error))
      throw new TransientError("Conflict", `Agent ${agent.metadata.name} was written by somebody else.`, {
        cause: error,
      });
    throw error;
  }
}
