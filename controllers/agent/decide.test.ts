import { expect, test } from "vitest";
import type { Agent } from "../../pkg/api/generated.ts";
import type { Outcome, SessionObservation, SessionReport } from "../../pkg/session/sessions.ts";
import {
  aClaim,
  anAgent,
  aProject,
  approved,
  aReview,
  aWorkspace,
  leaving,
  NOW,
  rejected,
  submitted,
} from "../testing/objects.ts";
import { decide } from "./decide.ts";
import type { Hold, Observation, Work } from "./observe.ts";
import type { Plan } from "./plan.ts";

const report = (more: Partial<SessionReport> = {}): SessionReport => ({
  run: 1,
  turns: 3,
  liveSeconds: 60,
  lastActivityMs: NOW,
  heartbeatMs: NOW,
  tasksDone: [],
  busy: false,
  ...more,
});
const alive = { is: "present", report: report(), pid: 7, startedAtMs: NOW } as const;
const present: SessionObservation = { ...alive, pulse: "Regular" };
const gone: SessionObservation = { is: "absent", report: undefined };
const ended = (outcome?: Outcome): SessionObservation => ({
  is: "absent",
  report: report(outcome === undefined ? {} : { outcome }),
});
const finished: Outcome = { kind: "Finished", summary: "Done.", evidence: [] };
const refused: Outcome & { kind: "Paused" } = {
  kind: "Paused",
  reason: "BudgetExceeded",
  message: "Too little is left.",
};
const failed: Outcome = { kind: "Failed", reason: "TurnLimit", message: "200 turns." };
const hold = (running: Hold["running"], reason: Hold["reason"] = "AgentPaused"): Hold => ({
  reason,
  message: "Held.",
  running,
});
const claimed = (status = {}, spec = {}): Work => {
  const project = aProject({ claimNumber: 1, claim: aClaim(), ...status }, spec);
  return { kind: "Project", project, claim: project.status?.claim ?? aClaim() };
};
const reviewing: Work = {
  kind: "Review",
  review: aReview({ state: "Reviewing" }),
  project: aProject({ submission: submitted() }),
  claim: { agent: "agent-1", agentUID: "uid-of-agent-1", number: 1, session: "s1" },
};
const known = { session: { id: "s1", run: 1 }, state: "Working" } as const;
const waits = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString();

const rows: readonly {
  name: string;
  agent?: Agent;
  seen: Partial<Observation>;
  wantDo: string;
  wantState: string;
  wantReason?: string;
  wantMore?: object;
  wantNot?: keyof Plan;
}[] = [
  { name: "an idle agent with nothing to claim stays idle", seen: {}, wantDo: "nothing", wantState: "Idle" },
  {
    name: "an agent for whose work too little money is left looks again: what is reserved comes back unsaid",
    seen: { waitsForMoney: true },
    wantDo: "nothing",
    wantState: "Idle",
    wantMore: { next: { after: "ms", ms: 300_000 } },
  },
  {
    name: "an idle agent claims the first candidate",
    seen: { candidates: [aProject()] },
    wantDo: "claim",
    wantState: "ClaimProject",
  },
  {
    name: "a session that can't be seen changes nothing",
    agent: anAgent(known),
    seen: { work: claimed(), session: { is: "unknown", why: "No answer." } },
    wantDo: "nothing",
    wantState: "Working",
    wantReason: "SessionUnknown",
  },
  {
    name: "a claim without a session is started",
    agent: anAgent({ state: "ClaimProject" }),
    seen: { work: claimed(), session: gone },
    wantDo: "start",
    wantState: "Working",
  },
  {
    name: "a claim under a hold is not started",
    seen: { work: claimed(), session: gone, hold: hold("GoesOn", "BudgetExceeded") },
    wantDo: "nothing",
    wantState: "Working",
    wantReason: "BudgetExceeded",
  },
  {
    name: "an emergency stop kills what runs",
    agent: anAgent(known),
    seen: { work: claimed(), session: present, hold: hold("Now", "Stopped") },
    wantDo: "stop",
    wantState: "Stopped",
    wantMore: { action: { how: "Now" } },
  },
  {
    name: "what an emergency stop ended goes on without a failure",
    agent: anAgent({ ...known, state: "Stopped" }),
    seen: { work: claimed(), session: ended() },
    wantDo: "start",
    wantState: "Working",
  },
  {
    name: "a pause asks the session to end after its turn",
    agent: anAgent(known),
    seen: { work: claimed(), session: present, hold: hold("AfterTurn") },
    wantDo: "stop",
    wantState: "Working",
    wantMore: { action: { how: "AfterTurn" } },
  },
  {
    name: "a paused session waits",
    agent: anAgent(known),
    seen: {
      work: claimed(),
      session: ended({ kind: "Paused", reason: "Requested", message: "Asked." }),
      hold: hold("AfterTurn"),
    },
    wantDo: "nothing",
    wantState: "Paused",
  },
  {
    name: "a run that finished while it was paused is handed over",
    agent: anAgent(known),
    seen: { work: claimed(), session: ended(finished), hold: hold("AfterTurn") },
    wantDo: "submit",
    wantState: "RequestReview",
  },
  {
    name: "a finished run is handed over",
    agent: anAgent(known),
    seen: { work: claimed(), session: ended(finished) },
    wantDo: "submit",
    wantState: "RequestReview",
  },
  {
    name: "the outcome of an earlier run is not taken for this one's",
    agent: anAgent({ ...known, session: { id: "s1", run: 2 } }),
    seen: { work: claimed({ claim: aClaim({ run: 2 }) }), session: ended(finished) },
    wantDo: "nothing",
    wantState: "Failed",
    wantReason: "SessionFailed",
  },
  {
    name: "work in review is waited for",
    agent: anAgent({ ...known, state: "RequestReview" }),
    seen: { work: claimed({ submission: submitted() }), session: ended(finished) },
    wantDo: "nothing",
    wantState: "AwaitingReview",
  },
  {
    name: "approved work is waited for",
    agent: anAgent({ ...known, state: "AwaitingReview" }),
    seen: { work: claimed({ submission: submitted(), verdict: approved() }), session: ended(finished) },
    wantDo: "nothing",
    wantState: "Approved",
  },
  {
    name: "asked-for changes open the next run",
    agent: anAgent({ ...known, state: "AwaitingReview" }),
    seen: { work: claimed({ submission: submitted(), verdict: rejected() }), session: ended(finished) },
    wantDo: "rework",
    wantState: "Rejected",
  },
  {
    name: "a merge that failed opens the next run",
    agent: anAgent({ ...known, state: "Approved" }),
    seen: {
      work: claimed({
        submission: submitted(),
        verdict: approved(),
        mergeFailure: { head: "aaaaaaaa", run: 1, reason: "Conflict", message: "It conflicts." },
      }),
      session: ended(finished),
    },
    wantDo: "rework",
    wantState: "Rejected",
  },
  {
    name: "a refused request pauses and remembers the windows",
    agent: anAgent(known),
    seen: { work: claimed(), session: ended(refused) },
    wantDo: "nothing",
    wantState: "Paused",
    wantReason: "BudgetExceeded",
    wantMore: { refused: true },
  },
  {
    name: "under the same windows a refused session waits",
    agent: anAgent({ ...known, budgetMark: "mark" }),
    seen: { work: claimed(), session: ended(refused) },
    wantDo: "nothing",
    wantState: "Paused",
  },
  {
    name: "one that was refused since a bound was violated goes on once it is held no more, under the same windows",
    agent: anAgent({ ...known, budgetMark: "mark" }),
    seen: { work: claimed(), session: ended({ ...refused, reason: "BoundViolated" }) },
    wantDo: "start",
    wantState: "Working",
  },
  {
    name: "a refused session goes on once none of the Budgets that refused it holds for it",
    agent: anAgent({ ...known, budgetMark: "mark" }),
    seen: { work: claimed(), session: ended(refused), budgetMark: "" },
    wantDo: "start",
    wantState: "Working",
  },
  {
    name: "under other windows a refused session goes on",
    agent: anAgent({ ...known, budgetMark: "yesterday" }),
    seen: { work: claimed(), session: ended(refused) },
    wantDo: "start",
    wantState: "Working",
  },
  {
    name: "a host that ended without a word is a failure",
    agent: anAgent(known),
    seen: { work: claimed(), session: ended() },
    wantDo: "nothing",
    wantState: "Failed",
    wantMore: { failure: { message: "The session host ended without a word." } },
  },
  {
    name: "one that was ended by an order, as by a second Ctrl-C, has not failed, and goes on at once",
    agent: anAgent(known),
    seen: { work: claimed(), session: { is: "absent", report: report(), ordered: true } },
    wantDo: "start",
    wantState: "Working",
    wantNot: "failure",
  },
  {
    name: "one that was to be ended and said before why it failed has failed",
    agent: anAgent(known),
    seen: { work: claimed(), session: { is: "absent", report: report({ outcome: failed }), ordered: true } },
    wantDo: "nothing",
    wantState: "Failed",
    wantMore: { failure: { message: "TurnLimit: 200 turns." } },
  },
  {
    name: "one that failed before waits as it did, whatever was ordered then",
    agent: anAgent({ ...known, failures: 1, nextStartTime: waits(8) }),
    seen: { work: claimed(), session: { is: "absent", report: report(), ordered: true } },
    wantDo: "nothing",
    wantState: "Failed",
    wantMore: { next: { after: "ms", ms: 8_000 } },
  },
  {
    name: "a host that died with the operator, and had got somewhere, is no failure",
    agent: anAgent({ ...known, session: { id: "s1", run: 1, startTurns: 2 } }),
    seen: { work: claimed(), session: { is: "absent", report: report(), unwitnessed: true } },
    wantDo: "start",
    wantState: "Working",
    wantNot: "failure",
  },
  {
    name: "one that got nowhere is, but not its Project's",
    agent: anAgent({ ...known, session: { id: "s1", run: 1, startTurns: 3 } }),
    seen: { work: claimed(), session: { is: "absent", report: report(), unwitnessed: true } },
    wantDo: "nothing",
    wantState: "Failed",
    wantMore: { failure: { unwitnessed: true } },
  },
  {
    name: "one that said itself why it failed has failed, whoever saw it",
    agent: anAgent({ ...known, session: { id: "s1", run: 1, startTurns: 2 } }),
    seen: {
      work: claimed(),
      session: { is: "absent", report: report({ outcome: failed }), unwitnessed: true },
    },
    wantDo: "nothing",
    wantState: "Failed",
    wantMore: { failure: { message: "TurnLimit: 200 turns." } },
  },
  {
    name: "a failed session waits for its next start",
    agent: anAgent({ ...known, failures: 1, nextStartTime: waits(8) }),
    seen: { work: claimed(), session: ended(failed) },
    wantDo: "nothing",
    wantState: "Failed",
    wantMore: { next: { after: "ms", ms: 8_000 } },
  },
  {
    name: "a failed session that a clock set back would keep waiting for a day waits anew",
    agent: anAgent({ ...known, failures: 1, nextStartTime: waits(86_400) }),
    seen: { work: claimed(), session: ended(failed) },
    wantDo: "nothing",
    wantState: "Failed",
    wantMore: { waitsAnew: true },
  },
  {
    name: "the third bad end in a row is a crash loop, with its count and what went wrong",
    agent: anAgent({ ...known, failures: 2 }),
    seen: { work: claimed(), session: ended(failed) },
    wantDo: "nothing",
    wantState: "Failed",
    wantReason: "CrashLoopBackOff",
    wantMore: {
      failure: { message: "TurnLimit: 200 turns." },
      ready: { message: expect.stringMatching(/^3 sessions in a row .* TurnLimit: 200 turns\.$/) },
    },
  },
  {
    name: "a crash loop says when the next try is",
    agent: anAgent({ ...known, failures: 3, nextStartTime: waits(30), lastError: "It broke." }),
    seen: { work: claimed(), session: ended(failed) },
    wantDo: "nothing",
    wantState: "Failed",
    wantReason: "CrashLoopBackOff",
    wantMore: { ready: { message: expect.stringContaining(`at ${waits(30)}`) } },
  },
  {
    name: "a bad end after ten minutes of life is the first again",
    agent: anAgent({ ...known, session: { id: "s1", run: 1, startLiveSeconds: 100 }, failures: 5 }),
    seen: { work: claimed(), session: { is: "absent", report: report({ liveSeconds: 700 }) } },
    wantDo: "nothing",
    wantState: "Failed",
    wantReason: "SessionFailed",
    wantMore: { recovered: true, failure: {} },
  },
  {
    name: "a host that lived for ten minutes has left a crash loop behind",
    agent: anAgent({ ...known, session: { id: "s1", run: 1, startLiveSeconds: 100 }, failures: 5 }),
    seen: { work: claimed(), session: { ...present, report: report({ liveSeconds: 700 }) } },
    wantDo: "nothing",
    wantState: "Working",
    wantMore: { recovered: true },
  },
  {
    name: "a host that lived for less has not",
    agent: anAgent({ ...known, session: { id: "s1", run: 1, startLiveSeconds: 101 }, failures: 5 }),
    seen: { work: claimed(), session: { ...present, report: report({ liveSeconds: 700 }) } },
    wantDo: "nothing",
    wantState: "Working",
    wantNot: "recovered",
  },
  {
    name: "a changed spec ends the wait and the count",
    agent: anAgent({ ...known, failures: 4, failureMark: "1/1/1", nextStartTime: waits(60) }),
    seen: { work: claimed(), session: ended(failed), specMark: "2/1/1" },
    wantDo: "start",
    wantState: "Working",
    wantMore: { recovered: true },
  },
  {
    name: "a restart that a person asks for ends the wait and the count",
    agent: anAgent(
      { ...known, failures: 4, nextStartTime: waits(60) },
      { restartedAt: "2026-01-05T11:59:59Z" },
    ),
    seen: { work: claimed(), session: ended(failed) },
    wantDo: "start",
    wantState: "Working",
    wantMore: { recovered: true },
  },
  {
    name: "an agent in a crash loop claims nothing before its time",
    agent: anAgent({ failures: 3, failureMark: "1/1/1", nextStartTime: waits(30), lastError: "It broke." }),
    seen: { candidates: [aProject()] },
    wantDo: "nothing",
    wantState: "Failed",
    wantReason: "CrashLoopBackOff",
    wantMore: { next: { after: "ms", ms: 30_000 } },
  },
  {
    name: "when its time has come it claims again, and its count stays",
    agent: anAgent({ failures: 3, failureMark: "1/1/1", nextStartTime: waits(-1) }),
    seen: { candidates: [aProject()] },
    wantDo: "claim",
    wantState: "ClaimProject",
    wantNot: "recovered",
  },
  {
    name: "a changed spec lets it claim at once",
    agent: anAgent({ failures: 3, failureMark: "1/1/1", nextStartTime: waits(30) }),
    seen: { candidates: [aProject()], specMark: "1/1/2" },
    wantDo: "nothing",
    wantState: "Idle",
    wantMore: { recovered: true },
  },
  {
    name: "letting go of work resets no count",
    agent: anAgent({ ...known, failures: 2 }),
    seen: { work: claimed({ escalation: "retry-stuck-1" }), session: ended() },
    wantDo: "release",
    wantState: "Idle",
    wantNot: "recovered",
  },
  {
    name: "a late heartbeat is told, and nothing is done yet",
    agent: anAgent(known),
    seen: { work: claimed(), session: { ...alive, pulse: "Late" } },
    wantDo: "nothing",
    wantState: "Working",
    wantReason: "HeartbeatLate",
    wantMore: { warns: true, ready: { status: "Unknown" } },
  },
  {
    name: "a host whose heartbeat is lost is ended, and that is a bad end",
    agent: anAgent(known),
    seen: { work: claimed(), session: { ...alive, pulse: "Lost" } },
    wantDo: "stop",
    wantState: "Failed",
    wantReason: "HeartbeatLost",
    wantMore: { action: { how: "Lost" }, failure: {} },
  },
  {
    name: "a lost host is not waited for because of a pause",
    agent: anAgent(known),
    seen: { work: claimed(), session: { ...alive, pulse: "Lost" }, hold: hold("AfterTurn") },
    wantDo: "stop",
    wantState: "Failed",
    wantMore: { action: { how: "Lost" } },
  },
  {
    name: "a lost host whose run has come to its end failed at nothing but leaving",
    agent: anAgent(known),
    seen: { work: claimed(), session: { ...alive, report: report({ outcome: finished }), pulse: "Lost" } },
    wantDo: "stop",
    wantState: "Failed",
    wantNot: "failure",
  },
  {
    name: "a lost host whose Project is assigned to another is ended, and the Project moves",
    agent: anAgent(known),
    seen: { work: claimed({}, { assignedAgent: "agent-2" }), session: { ...alive, pulse: "Lost" } },
    wantDo: "stop",
    wantState: "Working",
    wantReason: "Releasing",
  },
  {
    name: "a failed session is started again when its time has come",
    agent: anAgent({ ...known, failures: 1, nextStartTime: waits(-1) }),
    seen: { work: claimed(), session: ended(failed) },
    wantDo: "start",
    wantState: "Working",
  },
  {
    name: "a review whose sessions fail again and again is given back",
    agent: anAgent(
      { ...known, session: { id: "s1", run: 1, failures: 3 }, failures: 3, nextStartTime: waits(-1) },
      { role: "Review" },
    ),
    seen: { work: reviewing, session: ended(failed) },
    wantDo: "giveBack",
    wantState: "Idle",
  },
  {
    name: "a restart that a person asked for ends the session",
    agent: anAgent(known, { restartedAt: "2026-01-05T11:00:00Z" }),
    seen: { work: claimed(), session: present },
    wantDo: "stop",
    wantState: "Working",
    wantReason: "Restarting",
  },
  {
    name: "an agent that is removed ends its session first",
    agent: leaving(anAgent(known)),
    seen: { work: claimed(), session: present },
    wantDo: "stop",
    wantState: "Working",
    wantReason: "Releasing",
  },
  {
    name: "an agent that is removed saves and lets go",
    agent: leaving(anAgent(known)),
    seen: { work: claimed(), session: ended() },
    wantDo: "release",
    wantState: "Idle",
  },
  {
    name: "an agent that is removed and has nothing in hand goes",
    agent: leaving(anAgent()),
    seen: {},
    wantDo: "finalize",
    wantState: "Idle",
  },
  {
    name: "an escalated project is let go",
    agent: anAgent(known),
    seen: { work: claimed({ escalation: "retry-stuck-1" }), session: ended() },
    wantDo: "release",
    wantState: "Idle",
  },
  {
    name: "a project that is assigned to another is let go",
    agent: anAgent(known),
    seen: { work: claimed({}, { assignedAgent: "agent-2" }), session: ended() },
    wantDo: "release",
    wantState: "Idle",
  },
  {
    name: "a session without a claim is ended",
    agent: anAgent(known),
    seen: { session: present },
    wantDo: "stop",
    wantState: "Idle",
    wantReason: "ClaimLost",
  },
  {
    name: "an ended session without a claim is forgotten",
    agent: anAgent(known),
    seen: { session: ended() },
    wantDo: "forget",
    wantState: "Idle",
  },
  {
    name: "a review of a commit that is no longer the newest is let go",
    agent: anAgent(known, { role: "Review" }),
    seen: {
      work: { ...reviewing, project: aProject({ submission: submitted("cccccccc", 2) }) },
      session: ended(),
    },
    wantDo: "release",
    wantState: "Idle",
  },
];

for (const { name, agent = anAgent(), seen, wantDo, wantState, wantReason, wantMore = {}, wantNot } of rows)
  test(name, () => {
    const plan = decide(agent, {
      now: NOW,
      workspace: aWorkspace(),
      pool: undefined,
      work: undefined,
      session: undefined,
      due: true,
      dueInMs: 600_000,
      checkout: undefined,
      hold: undefined,
      budgetMark: "mark",
      specMark: "1/1/1",
      candidates: [],
      waitsForMoney: false,
      ...seen,
    });
    expect([plan.action.do, plan.state]).toEqual([wantDo, wantState]);
    if (wantReason !== undefined) expect(plan.ready.reason).toBe(wantReason);
    expect(plan).toMatchObject(wantMore);
    if (wantNot !== undefined) expect(plan[wantNot]).toBeUndefined();
  });
