/** What an Agent may need next, and how that is said in its status. */
import type { NewCondition } from "../../pkg/api/conditions.ts";
import type { Agent, AgentState, Project, Review } from "../../pkg/api/generated.ts";
import type { Reason } from "../../pkg/api/reasons.ts";
import { inSeconds, type Next, settled } from "../../pkg/runtime/controller.ts";
import type { Outcome } from "../../pkg/session/sessions.ts";
import type { Work } from "./observe.ts";

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

/** How often a running session is looked at when nothing wakes us, in seconds. */
export const lookAgainSeconds = 300;

/** With nothing in hand. Who just let go says it too: if nothing else is claimed then, no more has to be written. */
export function free({ spec }: Agent): NewCondition {
  const what =
    spec.role === "Review" ? "It waits for a Review." : "It waits for a Project that it can claim.";
  return ready("Idle", what);
}

/** Start the session of `work`, or resume it. */
export function start(work: Work): Plan {
  return {
    action: { do: "start", work },
    state: stateAt(work),
    ready: atWork(work),
    next: inSeconds(lookAgainSeconds),
  };
}

/** Ready, and at what. */
export function atWork(work: Work): NewCondition {
  return ready(
    stateAt(work),
    work.kind === "Review"
      ? `Reviews ${work.review.metadata.name}.`
      : `Works on ${work.project.metadata.name}.`,
  );
}

/** Nothing to do until something else changes. */
export function waiting(state: AgentState, reason: Reason, message: string): Plan {
  return { action: { do: "nothing" }, state, ready: notReady(reason, message), next: settled };
}

/** Of an agent with a session at `work`. */
export function stateAt({ kind }: Work): "Working" | "Reviewing" {
  return kind === "Review" ? "Reviewing" : "Working";
}

export function stateOf(agent: Agent): AgentState {
  return agent.status?.state ?? "Idle";
}

export const ready = (reason: Reason, message: string): NewCondition => ({
  type: "Ready",
  status: "True",
  reason,
  message,
});
export const notReady = (reason: Reason, message: string): NewCondition => ({
  type: "Ready",
  status: "False",
  reason,
  message,
});
export const notYet = (reason: Reason, message: string): NewCondition => ({
  type: "Ready",
  status: "Unknown",
  reason,
  message,
});
