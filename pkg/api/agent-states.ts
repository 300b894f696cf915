/** Agent states: one table. The docs' diagram is made from it, and the tests walk every edge. */
import type { AgentActivity, AgentState } from "./generated.ts";
import { stepAlong } from "./transitions.ts";

/** `Paused`, `Stopped` and `Failed` can be entered from anywhere and left to wherever the work stands. */
export const ANYWHERE: ReadonlySet<AgentState> = new Set(["Paused", "Stopped", "Failed"]);

export const STATE_EDGES: Readonly<Record<AgentState, readonly AgentState[]>> = {
  Idle: ["ClaimProject", "ClaimReview", "Ideating"],
  ClaimProject: ["Working", "Idle"],
  Working: ["RequestReview", "Idle"],
  RequestReview: ["AwaitingReview", "Idle"],
  AwaitingReview: ["Approved", "Rejected", "Idle"],
  Approved: ["Idle", "Rejected", "AwaitingReview"],
  Rejected: ["Working", "Idle"],
  ClaimReview: ["Reviewing", "Idle"],
  Reviewing: ["Idle"],
  Ideating: ["CreateProject", "Idle"],
  CreateProject: ["Idle"],
  Paused: [],
  Stopped: [],
  Failed: [],
};

export function isEdge(from: AgentState, to: AgentState): boolean {
  return from === to || ANYWHERE.has(from) || ANYWHERE.has(to) || STATE_EDGES[from].includes(to);
}

/** The next state on the way from `from` to `to`: a status that lags goes through the table, not past it. */
export function stepTowards(from: AgentState, to: AgentState): AgentState {
  return isEdge(from, to) ? to : stepAlong(STATE_EDGES, { from, to });
}

/** The one word that people see. */
export function activityOf(state: AgentState): AgentActivity {
  switch (state) {
    case "ClaimProject":
    case "Working":
    case "RequestReview":
    case "Rejected":
      return "working";
    case "ClaimReview":
    case "Reviewing":
      return "reviewing";
    case "Ideating":
    case "CreateProject":
      return "ideating";
    case "Idle":
    case "AwaitingReview":
    case "Approved":
      return "idle";
    case "Paused":
      return "paused";
    case "Stopped":
      return "stopped";
    case "Failed":
      return "failed";
  }
}
