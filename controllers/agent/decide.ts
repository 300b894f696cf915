/** What an Agent needs next: a list of small rules whose order is the policy. Pure. */
import type { Agent, AgentState } from "../../pkg/api/generated.ts";
import {
  pendingMergeFailure,
  pendingSubmission,
  pendingVerdict,
  phaseOf,
  SETTLED_PHASES,
} from "../../pkg/api/phases.ts";
import { inSeconds, settled } from "../../pkg/runtime/controller.ts";
import { ended, failing, livedSeconds } from "./after-session.ts";
import { steadySeconds } from "./backoff.ts";
import type { Observation, Work } from "./observe.ts";
import {
  type Action,
  atWork,
  free,
  lookAgainSeconds,
  notReady,
  notYet,
  type Plan,
  ready,
  stateAt,
  stateOf,
  waiting,
} from "./plan.ts";

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
  ended, //      no session, or one that ended by itself or badly: start it, go on with it, or wait
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

/** Why an agent has to let go of its work; undefined where it has not. */
export function reasonToRelease(agent: Agent, work: Work, noWorkspace: boolean): string | undefined {
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
  const state = stateAt(work);
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
  const { refusal } = session.report;
  if (refusal !== undefined)
    return {
      action: { do: "nothing" },
      state,
      ready: notReady("UpstreamUnavailable", refusal),
      warns: true,
      next,
    };
  const steady = due && (agent.status?.failures ?? 0) > 0 && livedSeconds(agent, session) >= steadySeconds;
  return {
    action: { do: "nothing" },
    state,
    ready: atWork(work),
    ...(steady ? { recovered: true } : {}),
    next,
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

function sessionOf(agent: Agent, work: Work | undefined): string | undefined {
  return work?.claim.session ?? agent.status?.session?.id;
}
