/** What follows a session that has ended: hand its work over, go on with it, or wait and try again. Pure. */
import { getCondition, type NewCondition } from "../../pkg/api/conditions.ts";
import type { Agent } from "../../pkg/api/generated.ts";
import type { Reason } from "../../pkg/api/reasons.ts";
import { inSeconds, settled } from "../../pkg/runtime/controller.ts";
import type { Outcome, SessionObservation } from "../../pkg/session/sessions.ts";
import { crashLoopFailures, steadySeconds, waitOf } from "./backoff.ts";
import type { Observation, Work } from "./observe.ts";
import { free, notReady, type Plan, ready, start, stateAt, waiting } from "./plan.ts";

/** Of a run that has no session any more. */
interface Past {
  work: Work;
  session: SessionObservation & { is: "absent" };
  /** The number of the run of the claim. */
  run: number;
  /** What the session said of this run; undefined: nothing. */
  outcome: Outcome | undefined;
}

type Rule = (agent: Agent, past: Past, seen: Observation) => Plan | undefined;

const rules: readonly Rule[] = [
  finished, //  the work is done: hand it over
  judged, //    the review is done
  onHold, //    paused or out of money: wait
  refused, //   no money for a request: wait until other limits or windows are in force
  unavailable, // nothing was to be had of the model: wait a little
  paused, //    it was asked to pause, and is no longer
  unstarted, // the run has had no session yet
  restarted, // a person asks for a new start
  resumed, //   the emergency stop is over
  failedNow, // it ended badly, and that is not counted yet
  changed, //   a person changed what it depends on
  tooOften, //  a review that no session of this agent gets done
  again, //     try again, after a wait
];

/** What follows when the session of the work in hand is gone; undefined where there is none that could have ended. */
export function ended(agent: Agent, seen: Observation): Plan | undefined {
  const { work, session } = seen;
  if (work === undefined || session?.is !== "absent") return undefined;
  const run = work.kind === "Review" ? 1 : work.claim.run;
  const outcome = session.report?.run === run ? session.report.outcome : undefined;
  for (const rule of rules) {
    const plan = rule(agent, { work, session, run, outcome }, seen);
    if (plan !== undefined) return plan;
  }
  throw new Error(`No rule covers the end of session ${work.claim.session}`);
}

function finished(_agent: Agent, { work, outcome }: Past): Plan | undefined {
  if (outcome?.kind !== "Finished" || work.kind !== "Project") return undefined;
  return {
    action: { do: "submit", work, outcome },
    state: "RequestReview",
    ready: ready("RequestReview", "The work is handed over for review."),
    recovered: true,
    next: inSeconds(0),
  };
}

function judged(_agent: Agent, { work, outcome }: Past): Plan | undefined {
  if (outcome?.kind !== "Judged") return undefined;
  return {
    action: { do: "nothing" },
    state: stateAt(work),
    ready: ready("Judged", "The review is being settled."),
    recovered: true,
    next: settled,
  };
}

function onHold(
  agent: Agent,
  { work, outcome }: Past,
  { hold, limitsChanged, now }: Observation,
): Plan | undefined {
  if (hold === undefined) return undefined;
  const wait = {
    ...waiting(outcome?.kind === "Paused" ? "Paused" : stateAt(work), hold.reason, hold.message),
    ...(hold.untilMs === undefined ? {} : { next: inSeconds((hold.untilMs - now) / 1000) }),
  };
  // Remembered now: once the hold is over, other windows and limits are in force than those that refused it.
  const isNews = refusalIn(outcome) !== undefined && agent.status?.budgetMark === undefined && !limitsChanged;
  return isNews ? { ...wait, refused: true } : wait;
}

function refused(
  agent: Agent,
  { work, outcome }: Past,
  { budgetMark, limitsChanged }: Observation,
): Plan | undefined {
  const refusal = refusalIn(outcome);
  if (refusal === undefined) return undefined;
  const mark = agent.status?.budgetMark;
  if (budgetMark === "" || limitsChanged) return start(work);
  const wait = waiting("Paused", refusal.reason, refusal.message);
  if (mark === undefined) return { ...wait, refused: true };
  return mark === budgetMark ? wait : start(work);
}

/** Why a request was refused for want of money, which other limits or windows end; undefined where none was. */
function refusalIn(outcome: Outcome | undefined): { reason: Reason; message: string } | undefined {
  if (outcome?.kind !== "Paused") return undefined;
  const { reason, message } = outcome;
  return reason === "BudgetExceeded" || reason === "NoBudget" ? { reason, message } : undefined;
}

/** No fault of the work's, and nothing that is counted: it goes on once there is an answer again. */
function unavailable(agent: Agent, { work, outcome }: Past, { now }: Observation): Plan | undefined {
  if (outcome?.kind !== "Paused" || outcome.reason !== "UpstreamUnavailable") return undefined;
  const { status = {} } = agent;
  const plan = waiting("Paused", "UpstreamUnavailable", outcome.message);
  const leftMs = waitOf(status, now);
  if (status.nextStartTime === undefined || leftMs === "TooLong")
    return { ...plan, waitsAnew: true, next: inSeconds(0) };
  return leftMs === 0 ? { ...start(work), ready: plan.ready } : { ...plan, next: inSeconds(leftMs / 1000) };
}

function paused(_agent: Agent, { work, outcome }: Past): Plan | undefined {
  return outcome?.kind === "Paused" ? start(work) : undefined;
}

function unstarted({ status }: Agent, { work, run }: Past): Plan | undefined {
  const known = status?.session;
  return known?.id === work.claim.session && known.run === run ? undefined : start(work);
}

/** A restart that a person asks for is no failure, and nothing to wait for. */
function restarted({ spec, status }: Agent, { work }: Past): Plan | undefined {
  if (spec.restartedAt === undefined || spec.restartedAt === status?.session?.restartedAt) return undefined;
  return { ...start(work), recovered: true };
}

function resumed({ status }: Agent, { work }: Past): Plan | undefined {
  return status?.state === "Stopped" ? start(work) : undefined;
}

function failedNow(agent: Agent, { work, session, outcome }: Past): Plan | undefined {
  if (agent.status?.nextStartTime !== undefined) return undefined;
  // As by a second Ctrl-C: whoever ordered the end has not seen it fail.
  if (session.ordered === true && outcome === undefined) return start(work);
  const why =
    outcome?.kind === "Failed"
      ? `${outcome.reason}: ${outcome.message}`
      : "The session host ended without a word.";
  // A machine that crashed is no fault of the session's; one that gets nowhere may be what crashes it.
  const unwitnessed = session.unwitnessed === true && outcome === undefined;
  const turnsBefore = agent.status?.session?.startTurns ?? 0;
  if (unwitnessed && (session.report?.turns ?? 0) > turnsBefore) return start(work);
  const steady = livedSeconds(agent, session) >= steadySeconds;
  return failed(agent, why, { steady, unwitnessed });
}

function changed(agent: Agent, { work }: Past, seen: Observation): Plan | undefined {
  return specChanged(agent, seen) ? { ...start(work), recovered: true } : undefined;
}

function tooOften(agent: Agent, { work }: Past): Plan | undefined {
  const failures = agent.status?.session?.failures ?? 0;
  // Whether a person is asked is decided for the Project. Where it is, it is taken away.
  if (failures < crashLoopFailures || work.kind !== "Review") return undefined;
  return { action: { do: "giveBack", work }, state: "Idle", ready: crashLoop(agent), next: inSeconds(0) };
}

function again(agent: Agent, { work }: Past, { now }: Observation): Plan {
  return wait(agent, now) ?? start(work);
}

/** Nothing in hand, and what it had in hand went wrong: the next would, too. */
export function failing(agent: Agent, seen: Observation): Plan | undefined {
  if (seen.work !== undefined || agent.status?.nextStartTime === undefined) return undefined;
  if ((agent.status.failures ?? 0) === 0) return undefined;
  if (!specChanged(agent, seen)) return wait(agent, seen.now);
  return {
    action: { do: "nothing" },
    state: "Idle",
    ready: free(agent),
    recovered: true,
    next: inSeconds(0),
  };
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

/** How long the host of this start lived, in seconds, without pauses and waits. */
export function livedSeconds({ status }: Agent, session: SessionObservation): number {
  const live = session.is === "unknown" ? 0 : (session.report?.liveSeconds ?? 0);
  return live - (status?.session?.startLiveSeconds ?? live);
}
