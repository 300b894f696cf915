/** What an Agent needs next: a list of small rules whose order is the policy. Pure. */
import { getCondition, type NewCondition } from "../../pkg/api/conditions.ts";
import type { Agent, AgentState, Project, Review } from "../../pkg/api/generated.ts";
import {
  pendingMergeFailure,
  pendingSubmission,
  pendingVerdict,
  phaseOf,
  SETTLED_PHASES,
} from "../../pkg/api/phases.ts";
import type { Reason } from "../../pkg/api/reasons.ts";
import { inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import type { Outcome, SessionObservation } from "../../pkg/session/sessions.ts";
import { crashLoopFailures, steadySeconds, waitOf } from "./backoff.ts";
import type { Observation, Work } from "./observe.ts";

/** At most one effect, safe to repeat after a crash. */
export type Action =
  | { do: "nothing" }
  | { do: "claim"; target: Project | Review }
  /** Record the claim, make the checkout, start or resume the session. */
  | { do: "start"; work: Work }
  | { do: "stop"; session: string; how: "AfterTurn" | "Now" | "Lost" }
  /** Collect the branch and hand it over for review. */
  | { do: "submit"; work: Work & { kind: "Project" }; outcome: Outcome & { kind: "Finished" } }
  /** Open the next run with what the review or the merge asked for. */
  | { do: "rework"; work: Work & { kind: "Project" } }
  /** Save and collect what there is, then let go of the claim. */
  | { do: "release"; work: Work; why: string }
  /** Let another session, perhaps another reviewer, try the review: it counts like one that took too long. */
  | { do: "giveBack"; work: Work & { kind: "Review" } }
  /** Forget a session that belongs to no claim any more. */
  | { do: "forget" }
  /** Remove the finalizer. */
  | { do: "finalize" };

export interface Plan {
  action: Action;
  state: AgentState;
  ready: NewCondition;
  /** Count a session that ended badly, and say what happened. An end that nobody witnessed is not held against its work. */
  failure?: { message: string; unwitnessed?: true };
  /** Leave the count of failures and the wait behind. Letting go of work is no reason to: what fails then fails again. */
  recovered?: true;
  /** Wait anew, as long as after so many failures. */
  waitsAnew?: true;
  /** Worth a Warning when it begins. */
  warns?: true;
  /** Remember the windows under which a request was refused. */
  refused?: true;
  next: Next;
}

type Rule = (agent: Agent, seen: Observation) => Plan | undefined;

const rules: readonly Rule[] = [
  unknown, //    the session can't be seen: change nothing
  stopped, //    emergency stop
  orphaned, //   a session without a claim: end it, forget it
  unwanted, //   the work was taken away: end the session, save, let go
  leaving, //    the agent is being removed and has nothing in hand
  handedOver, // in review or merge: wait, or open the next run
  lost, //       the host lives and does nothing any more: end it
  held, //       paused or out of money: let what runs finish its turn
  running, //    a session at work
  ended, //      a session that ended: by itself, or badly
  missing, //    wanted and not running: start it
  failing, //    what it does keeps going wrong: claim nothing for a while
  claims, //     claim the next piece of work
  idle,
];

/** What `agent` needs next. The same inputs always give the same plan. */
export function decide(agent: Agent, seen: Observation): Plan {
  for (const rule of rules) {
    const plan = rule(agent, seen);
    if (plan !== undefined) return plan;
  }
  throw new Error(`No rule covers Agent ${agent.metadata.name}`);
}

/** How often a running session is looked at when nothing wakes us, in seconds. */
const lookAgainSeconds = 300;

function unknown(agent: Agent, { session }: Observation): Plan | undefined {
  if (session?.is !== "unknown") return undefined;
  return {
    action: { do: "nothing" },
    state: stateOf(agent),
    ready: notYet("SessionUnknown", `The session can't be seen: ${session.why}`),
    next: inSeconds(10),
  };
}

function stopped(agent: Agent, { hold, session }: Observation): Plan | undefined {
  if (hold?.running !== "Now") return undefined;
  const id = sessionOf(agent, undefined);
  const action: Action =
    session?.is === "present" && id !== undefined
      ? { do: "stop", session: id, how: "Now" }
      : { do: "nothing" };
  return { action, state: "Stopped", ready: notReady(hold.reason, hold.message), next: settled };
}

function orphaned(agent: Agent, { work, session }: Observation): Plan | undefined {
  const id = agent.status?.session?.id;
  if (id === undefined || (work !== undefined && work.claim.session === id)) return undefined;
  // With work in hand `session` speaks of the new one: the old is ended blindly, which is safe to repeat.
  if (work !== undefined || session?.is === "present")
    return {
      action: { do: "stop", session: id, how: "Now" },
      state: work === undefined ? "Idle" : stateOf(agent),
      ready: notYet(
        "ClaimLost",
        "The session's claim is no longer this agent's; it is ended and its checkout kept.",
      ),
      next: inSeconds(0),
    };
  return { action: { do: "forget" }, state: "Idle", ready: free(agent), next: inSeconds(0) };
}

function unwanted(agent: Agent, { work, session, workspace }: Observation): Plan | undefined {
  if (work === undefined) return undefined;
  const why = reasonToRelease(agent, work, workspace === undefined);
  if (why === undefined) return undefined;
  if (session?.is === "present")
    return {
      action: { do: "stop", session: work.claim.session, how: "Now" },
      state: stateOf(agent),
      ready: notYet("Releasing", why),
      next: inSeconds(0),
    };
  return {
    action: { do: "release", work, why },
    state: "Idle",
    ready: free(agent),
    next: inSeconds(0),
  };
}

function reasonToRelease(agent: Agent, work: Work, noWorkspace: boolean): string | undefined {
  if (noWorkspace) return undefined;
  if (agent.metadata.deletionTimestamp !== undefined) return "The agent is being removed.";
  const { project } = work;
  if (work.kind === "Review") {
    if (project === undefined) return "The Project is gone.";
    const submission = pendingSubmission(project.status ?? {});
    if (submission?.head !== work.review.spec.headCommit)
      return "The commit under review is no longer the newest.";
    return SETTLED_PHASES.has(phaseOf(project)) || phaseOf(project) === "Escalated"
      ? `The Project is ${phaseOf(project)}.`
      : undefined;
  }
  const phase = phaseOf(work.project);
  if (phase === "Merging") return undefined;
  if (work.project.metadata.deletionTimestamp !== undefined) return "The Project was deleted.";
  if (SETTLED_PHASES.has(phase) || phase === "Escalated") return `The Project is ${phase}.`;
  const { assignedAgent } = work.project.spec;
  if (assignedAgent !== undefined && assignedAgent !== agent.metadata.name)
    return `The Project is assigned to ${assignedAgent}.`;
  return undefined;
}

function leaving(agent: Agent, { work }: Observation): Plan | undefined {
  if (agent.metadata.deletionTimestamp === undefined || work !== undefined) return undefined;
  return {
    action: { do: "finalize" },
    state: "Idle",
    ready: notReady("Leaving", "The agent is being removed."),
    next: settled,
  };
}

function handedOver(_agent: Agent, { work, hold }: Observation): Plan | undefined {
  if (work?.kind !== "Project") return undefined;
  const status = work.project.status ?? {};
  if (pendingSubmission(status) === undefined) return undefined;
  const verdict = pendingVerdict(status);
  const asked = verdict?.result === "ChangesRequested" || pendingMergeFailure(status) !== undefined;
  if (!asked) {
    const state = verdict === undefined ? "AwaitingReview" : "Approved";
    const message =
      verdict === undefined
        ? "The work is in review."
        : "The work is approved and waits for the merge queue.";
    return { action: { do: "nothing" }, state, ready: ready(state, message), recovered: true, next: settled };
  }
  if (hold !== undefined && hold.running !== "GoesOn") return undefined;
  if (hold !== undefined) return waiting("Rejected", hold.reason, hold.message);
  return {
    action: { do: "rework", work },
    state: "Rejected",
    ready: ready("Rejected", "Changes were asked for; the next run opens with them."),
    next: inSeconds(0),
  };
}

/** Nothing is expected of a host without a heartbeat, a pause after its turn least of all. What it did is kept. */
function lost(_agent: Agent, { work, session }: Observation): Plan | undefined {
  if (work === undefined || session?.is !== "present" || session.pulse !== "Lost") return undefined;
  const message = "The session's host gave no heartbeat for more than two minutes; its processes were ended.";
  return {
    action: { do: "stop", session: work.claim.session, how: "Lost" },
    state: "Failed",
    ready: notReady("HeartbeatLost", message),
    // One that has said how its run ended only failed to leave.
    ...(session.report.outcome === undefined ? { failure: { message } } : {}),
    next: inSeconds(0),
  };
}

function held(agent: Agent, { hold, work, session }: Observation): Plan | undefined {
  if (hold === undefined) return undefined;
  if (hold.running === "GoesOn") return undefined;
  const state: AgentState = "Paused";
  const ready = notReady(hold.reason, hold.message);
  const id = sessionOf(agent, work);
  if (session?.is === "present" && id !== undefined)
    return {
      action: { do: "stop", session: id, how: "AfterTurn" },
      state: stateOf(agent),
      ready,
      next: inSeconds(lookAgainSeconds),
    };
  // What ended by itself meanwhile is still taken in: a finished run is handed over even while paused.
  const finished = session?.is === "absent" && session.report?.outcome?.kind === "Finished";
  if (finished && work?.kind === "Project" && pendingSubmission(work.project.status ?? {}) === undefined)
    return undefined;
  return { action: { do: "nothing" }, state, ready, next: settled };
}

function running(agent: Agent, { work, session, due, dueInMs }: Observation): Plan | undefined {
  if (work === undefined || session?.is !== "present") return undefined;
  const wanted = agent.spec.restartedAt;
  const state = work.kind === "Review" ? "Reviewing" : "Working";
  if (
    wanted !== undefined &&
    wanted !== agent.status?.session?.restartedAt &&
    agent.status?.session?.id === work.claim.session
  )
    return {
      action: { do: "stop", session: work.claim.session, how: "Now" },
      state,
      ready: notYet("Restarting", "A restart was asked for."),
      recovered: true,
      next: inSeconds(0),
    };
  const next = inSeconds(dueInMs / 1000);
  if (session.pulse === "Late")
    return {
      action: { do: "nothing" },
      state,
      ready: notYet(
        "HeartbeatLate",
        "The session's host gave no heartbeat for more than a minute; after two it is ended and resumed.",
      ),
      warns: true,
      next,
    };
  const steady = due && (agent.status?.failures ?? 0) > 0 && livedSeconds(agent, session) >= steadySeconds;
  return {
    action: { do: "nothing" },
    state,
    ready: atWork(work, state),
    ...(steady ? { recovered: true } : {}),
    next,
  };
}

/** How long the host of this start lived, in seconds, without pauses and waits. */
function livedSeconds({ status }: Agent, session: SessionObservation): number {
  const live = session.is === "unknown" ? 0 : (session.report?.liveSeconds ?? 0);
  return live - (status?.session?.startLiveSeconds ?? live);
}

function ended(agent: Agent, seen: Observation): Plan | undefined {
  const { work, session, now, hold, budgetMark } = seen;
  if (work === undefined || session?.is !== "absent") return undefined;
  const state = work.kind === "Review" ? "Reviewing" : "Working";
  const run = work.kind === "Review" ? 1 : work.claim.run;
  const outcome = session.report?.run === run ? session.report.outcome : undefined;
  if (outcome?.kind === "Finished" && work.kind === "Project")
    return {
      action: { do: "submit", work, outcome },
      state: "RequestReview",
      ready: ready("RequestReview", "The work is handed over for review."),
      recovered: true,
      next: inSeconds(0),
    };
  if (outcome?.kind === "Judged")
    return {
      action: { do: "nothing" },
      state,
      ready: ready("Judged", "The review is being settled."),
      recovered: true,
      next: settled,
    };
  const refusal =
    outcome?.kind === "Paused" && outcome.reason !== "Requested" && outcome.reason !== "UsageLimited"
      ? { reason: outcome.reason, message: outcome.message }
      : undefined;
  if (hold !== undefined) {
    const wait = {
      ...waiting(outcome?.kind === "Paused" ? "Paused" : state, hold.reason, hold.message),
      ...(hold.untilMs === undefined ? {} : { next: inSeconds((hold.untilMs - now) / 1000) }),
    };
    // Remembered now: once the hold is over, other windows and limits are in force than those that refused it.
    return refusal !== undefined && agent.status?.budgetMark === undefined
      ? { ...wait, refused: true }
      : wait;
  }
  if (refusal !== undefined) {
    const mark = agent.status?.budgetMark;
    if (mark === undefined)
      return {
        action: { do: "nothing" },
        state: "Paused",
        ready: notReady(refusal.reason, refusal.message),
        refused: true,
        next: settled,
      };
    if (mark === budgetMark) return waiting("Paused", refusal.reason, refusal.message);
    return start(work, state);
  }
  if (outcome?.kind === "Paused") return start(work, state);
  const { nextStartTime, session: known } = agent.status ?? {};
  const started = known?.id === work.claim.session && known.run === run;
  if (!started) return undefined;
  if (restartAsked(agent)) return { ...start(work, state), recovered: true };
  if (agent.status?.state === "Stopped") return start(work, state);
  if (nextStartTime === undefined) {
    // As by a second Ctrl-C: whoever ordered the end has not seen it fail.
    if (session.ordered === true && outcome === undefined) return start(work, state);
    const why =
      outcome?.kind === "Failed"
        ? `${outcome.reason}: ${outcome.message}`
        : "The session host ended without a word.";
    // A machine that crashed is no fault of the session's; one that gets nowhere may be what crashes it.
    const unwitnessed = session.unwitnessed === true && outcome === undefined;
    if (unwitnessed && (session.report?.turns ?? 0) > (known.startTurns ?? 0)) return start(work, state);
    const steady = livedSeconds(agent, session) >= steadySeconds;
    return failed(agent, why, { steady, unwitnessed });
  }
  if (specChanged(agent, seen)) return { ...start(work, state), recovered: true };
  const failures = known.failures ?? 0;
  if (failures >= crashLoopFailures && work.kind === "Review")
    return {
      action: { do: "giveBack", work },
      state: "Idle",
      ready: crashLoop(agent),
      next: inSeconds(0),
    };
  // Whether a person is asked is decided for the Project. Where it is, it is taken away.
  return wait(agent, now) ?? start(work, state);
}

/** A session ended badly: counted, and waited for. */
export function failed(
  agent: Agent,
  why: string,
  { steady = false, unwitnessed = false }: { steady?: boolean; unwitnessed?: boolean } = {},
): Plan {
  const before = steady ? 0 : (agent.status?.failures ?? 0);
  const status = { ...agent.status, failures: before + 1, lastError: why };
  return {
    action: { do: "nothing" },
    state: "Failed",
    ready: before + 1 >= crashLoopFailures ? crashLoop({ ...agent, status }) : notReady("SessionFailed", why),
    failure: { message: why, ...(unwitnessed ? { unwitnessed } : {}) },
    ...(steady ? { recovered: true } : {}),
    next: inSeconds(0),
  };
}

/** The rest of the wait after a failure; undefined where there is none. */
function wait(agent: Agent, now: number): Plan | undefined {
  const { status = {} } = agent;
  const leftMs = waitOf(status, now);
  if (leftMs === 0) return undefined;
  const isLoop = (status.failures ?? 0) >= crashLoopFailures;
  const wasLost = getCondition(status.conditions, "Ready")?.reason === "HeartbeatLost";
  const plan = {
    action: { do: "nothing" },
    state: "Failed",
    ready: isLoop
      ? crashLoop(agent)
      : notReady(wasLost ? "HeartbeatLost" : "SessionFailed", status.lastError ?? ""),
  } as const;
  return leftMs === "TooLong"
    ? { ...plan, waitsAnew: true, next: inSeconds(0) }
    : { ...plan, next: inSeconds(leftMs / 1000) };
}

function crashLoop({ metadata, status }: Agent): NewCondition {
  const { failures = 0, nextStartTime, lastError = "nothing said" } = status ?? {};
  const when = nextStartTime === undefined ? "after a growing wait" : `at ${nextStartTime}`;
  return notReady(
    "CrashLoopBackOff",
    `${failures} sessions in a row ended badly. The next try is ${when}, or at once by ` +
      `\`bosun restart ${metadata.name}\`. The last ended with: ${lastError}`,
  );
}

/** A person changed what the session depends on since it failed: that deserves a try at once. */
function specChanged({ status }: Agent, { specMark }: Observation): boolean {
  return status?.failureMark !== undefined && status.failureMark !== specMark;
}

/** A restart that a person asks for is no failure, and nothing to wait for. */
function restartAsked({ spec, status }: Agent): boolean {
  return spec.restartedAt !== undefined && spec.restartedAt !== status?.session?.restartedAt;
}

function missing(agent: Agent, { work, session, hold }: Observation): Plan | undefined {
  if (work === undefined || session?.is === "present") return undefined;
  const state = work.kind === "Review" ? "Reviewing" : "Working";
  if (hold !== undefined) return waiting(stateOf(agent), hold.reason, hold.message);
  return start(work, state);
}

/** Nothing in hand, and what it had in hand went wrong: the next would, too. */
function failing(agent: Agent, seen: Observation): Plan | undefined {
  if (seen.work !== undefined || agent.status?.nextStartTime === undefined) return undefined;
  if (!specChanged(agent, seen)) return wait(agent, seen.now);
  return {
    action: { do: "nothing" },
    state: "Idle",
    ready: free(agent),
    recovered: true,
    next: inSeconds(0),
  };
}

function claims(agent: Agent, { candidates }: Observation): Plan | undefined {
  const [target] = candidates;
  if (target === undefined) return undefined;
  const state = agent.spec.role === "Review" ? "ClaimReview" : "ClaimProject";
  return {
    action: { do: "claim", target },
    state,
    ready: ready(state, `Claims ${target.metadata.name}.`),
    next: inSeconds(0),
  };
}

function idle(agent: Agent, { hold, waitsForMoney }: Observation): Plan {
  if (hold !== undefined) return waiting("Idle", hold.reason, hold.message);
  // What requests in flight have reserved comes back with nothing that says so.
  const next = waitsForMoney ? inSeconds(lookAgainSeconds) : settled;
  return { action: { do: "nothing" }, state: "Idle", ready: free(agent), next };
}

/** With nothing in hand. Who just let go says it too: if nothing else is claimed then, no more has to be written. */
function free({ spec }: Agent): NewCondition {
  const what =
    spec.role === "Review" ? "It waits for a Review." : "It waits for a Project that it can claim.";
  return ready("Idle", what);
}

function start(work: Work, state: "Working" | "Reviewing"): Plan {
  return {
    action: { do: "start", work },
    state,
    ready: atWork(work, state),
    next: inSeconds(lookAgainSeconds),
  };
}

function atWork(work: Work, state: "Working" | "Reviewing"): NewCondition {
  return ready(
    state,
    work.kind === "Review"
      ? `Reviews ${work.review.metadata.name}.`
      : `Works on ${work.project.metadata.name}.`,
  );
}

function waiting(state: AgentState, reason: Reason, message: string): Plan {
  return { action: { do: "nothing" }, state, ready: notReady(reason, message), next: settled };
}

function sessionOf(agent: Agent, work: Work | undefined): string | undefined {
  return work?.claim.session ?? agent.status?.session?.id;
}

function stateOf(agent: Agent): AgentState {
  return agent.status?.state ?? "Idle";
}

const ready = (reason: Reason, message: string): NewCondition => ({
  type: "Ready",
  status: "True",
  reason,
  message,
});
const notReady = (reason: Reason, message: string): NewCondition => ({
  type: "Ready",
  status: "False",
  reason,
  message,
});
const notYet = (reason: Reason, message: string): NewCondition => ({
  type: "Ready",
  status: "Unknown",
  reason,
  message,
});
