import { expect, test } from "vitest";
import type {
  Agent,
  AgentStatus,
  ProjectPhase,
  ProjectResolutionAction,
  ProjectSpec,
  ProjectStatus,
} from "../../pkg/api/generated.ts";
import { aClaim, anAgent, aProject, aWorkspace, condition, submitted } from "../testing/objects.ts";
import {
  abandoned,
  elapsedSeconds,
  excess,
  isNewsOfRun,
  type Observation,
  progress,
  succeeded,
} from "./decide.ts";

const seen = (more: Partial<Observation> = {}): Observation => ({
  workspace: aWorkspace(),
  agent: undefined,
  ...more,
});
const session = (more: object = {}): AgentStatus => ({
  state: "Working",
  session: { id: "s1", busy: "No", ...more },
});

const failing = { nextStartTime: "2026-01-05T12:00:00Z", lastError: "TurnLimit" };

const limits: readonly {
  name: string;
  agent: AgentStatus;
  status?: ProjectStatus;
  spec?: Partial<ProjectSpec>;
  want: object | undefined;
}[] = [
  { name: "work within its limits goes on", agent: session({ liveSeconds: 100 }), want: undefined },
  {
    name: "8 hours of live session over all claims abandon it",
    agent: session({ liveSeconds: 800 }),
    status: { workedSeconds: 28_000 },
    want: { reason: "TimedOut", abandons: true },
  },
  {
    name: "a project's own limit counts where it is lower",
    agent: session({ liveSeconds: 600 }),
    spec: { limits: { projectSeconds: 600 } },
    want: { reason: "TimedOut" },
  },
  {
    name: "a project's own limit does not count where it is higher",
    agent: session({ liveSeconds: 28_800 }),
    spec: { limits: { projectSeconds: 86_400 } },
    want: { reason: "TimedOut" },
  },
  {
    name: "30 minutes without a change are stuck",
    agent: session({ unchangedSeconds: 1800 }),
    want: { reason: "Stuck", abandons: false },
  },
  {
    name: "a tool within its own limit is not stuck",
    agent: session({ unchangedSeconds: 1800, busy: "Yes" }),
    want: undefined,
  },
  {
    name: "a paused agent is not stuck",
    agent: { ...session({ unchangedSeconds: 1800 }), state: "Paused" },
    want: undefined,
  },
  {
    name: "three bad ends in a row ask a person",
    agent: { ...session({ failures: 3 }), failures: 3, ...failing },
    want: { reason: "SessionFailing", abandons: false, message: expect.stringContaining("TurnLimit") },
  },
  {
    name: "bad ends that a person's restart has left behind ask nobody",
    agent: { ...session({ failures: 3 }), failures: 3 },
    want: undefined,
  },
  {
    name: "an agent that failed elsewhere before is rather to blame than the Project",
    agent: { ...session({ failures: 5 }), failures: 8, ...failing },
    want: undefined,
  },
  {
    name: "in the end a person is asked all the same",
    agent: { ...session({ failures: 6 }), failures: 9, ...failing },
    want: { reason: "SessionFailing" },
  },
  {
    name: "what waits for review has no limit to pass",
    agent: session({ unchangedSeconds: 9999 }),
    status: { submission: submitted() },
    want: undefined,
  },
  {
    name: "another session's numbers are not its own",
    agent: { state: "Working", session: { id: "other", unchangedSeconds: 9999 } },
    want: undefined,
  },
];

for (const { name, agent, status = {}, spec = {}, want } of limits)
  test(name, () => {
    const project = aProject({ claimNumber: 1, claim: aClaim(), ...status }, spec);
    const passed = excess(project, seen({ agent: anAgent(agent) }));
    if (want === undefined) expect(passed).toBeUndefined();
    else expect(passed).toMatchObject(want);
  });

const runs: readonly { name: string; agent: Agent | undefined; status?: ProjectStatus; news: boolean }[] = [
  { name: "a session that goes on", agent: anAgent(session({ liveSeconds: 1799 })), news: false },
  { name: "half an hour", agent: anAgent(session({ liveSeconds: 1800 })), news: true },
  {
    name: "less than half an hour since it was told",
    agent: anAgent(session({ liveSeconds: 3599 })),
    status: { elapsedSeconds: 1800 },
    news: false,
  },
  {
    name: "another count of tasks to do",
    agent: anAgent(session()),
    status: { progressPercent: 50 },
    news: true,
  },
  { name: "a limit that is passed", agent: anAgent(session({ unchangedSeconds: 1800 })), news: true },
  { name: "a task that is done", agent: anAgent({ ...session(), tasksDone: ["t1"] }), news: true },
  {
    name: "a task that is known to be done",
    agent: anAgent({ ...session(), tasksDone: ["t1"] }),
    status: { tasksDone: ["t1"], progressPercent: 50 },
    news: false,
  },
  { name: "an agent that is gone", agent: undefined, news: true },
  {
    name: "whatever an agent does that has handed over",
    agent: anAgent(session()),
    status: { phase: "InReview", submission: submitted() },
    news: true,
  },
];

for (const { name, agent, status = {}, news } of runs)
  test(`${name} is ${news ? "" : "no "}news for the Project`, () => {
    const working: ProjectStatus = {
      phase: "Working",
      claimNumber: 1,
      claim: aClaim(),
      progressPercent: 0,
      tasksDone: [],
      ...status,
    };
    const tasks = ["t1", "t2"].map((id) => ({ id, title: id }));
    expect(isNewsOfRun(aProject(working, { tasks }), seen({ agent }))).toBe(news);
  });

test("elapsed time is what earlier claims took and the running one takes", () => {
  const status = { workedSeconds: 100, claim: aClaim() };
  expect(elapsedSeconds(status, anAgent(session({ liveSeconds: 20 })))).toBe(120);
  expect(elapsedSeconds(status, anAgent({ session: { id: "other", liveSeconds: 20 } }))).toBe(100);
});

test("progress is done tasks of all tasks, and a project without tasks is at 0 or 100", () => {
  const tasks = ["T-1", "T-2", "T-3"].map((id) => ({ id, title: id }));
  const agent = anAgent({ ...session(), tasksDone: ["T-2", "T-9"], currentTask: "T-3" });
  const working = aProject({ claim: aClaim(), tasksDone: ["T-1"] }, { tasks });
  expect(progress(working, "Working", agent)).toEqual({
    progressPercent: 66,
    currentTask: "T-3",
    tasksDone: ["T-1", "T-2"],
  });
  for (const phase of ["Queued", "Working", "ChangesRequested", "Escalated"] as const)
    expect(progress(aProject(), phase, undefined).progressPercent).toBe(0);
  for (const phase of ["InReview", "Approved", "Merging", "Done"] as const)
    expect(progress(aProject(), phase, undefined).progressPercent).toBe(100);
});

test("what another session does is no progress of the Project, and no task is in hand once it is handed over", () => {
  const tasks = ["T-1", "T-2"].map((id) => ({ id, title: id }));
  const agent = anAgent({ ...session(), tasksDone: ["T-1"], currentTask: "T-2" });
  const others = aProject({ claim: aClaim({ session: "another" }) }, { tasks });
  expect(progress(others, "Working", agent)).toEqual({ progressPercent: 0, tasksDone: [] });
  const own = aProject({ claim: aClaim() }, { tasks });
  expect(progress(own, "InReview", agent)).toEqual({ progressPercent: 50, tasksDone: ["T-1"] });
});

test("a person's Abandon gives it up, and a later decision takes it up again", () => {
  const decided = (action: ProjectResolutionAction) => ({ escalation: "e", reason: "TimedOut", action });
  expect(abandoned({})).toBeUndefined();
  expect(abandoned({ resolutions: [decided("Abandon")] })).toEqual({
    type: "Abandoned",
    status: "True",
    reason: "Abandon",
    message: "A person decided Abandon.",
  });
  expect(abandoned({ resolutions: [{ ...decided("Abandon"), note: "Too dear." }] })).toMatchObject({
    message: "A person decided Abandon: Too dear.",
  });
  const never = { conditions: [condition("Claimed", "False")], resolutions: [decided("Continue")] };
  expect(abandoned(never)).toBeUndefined();
  const given = {
    conditions: [condition("Claimed", "False"), condition("Abandoned", "True", "TimedOut")],
    resolutions: [decided("Continue")],
  };
  expect(abandoned(given)).toMatchObject({ type: "Abandoned", status: "False", reason: "Continue" });
  expect(abandoned({ ...given, escalation: "retry-timed-out-2" })).toBeUndefined();
});

test.each<[ProjectPhase, ProjectStatus, "True" | "False" | "Unknown", string]>([
  ["Proposed", {}, "Unknown", "It was proposed and waits for its review."],
  ["Queued", {}, "Unknown", "It waits for an agent."],
  ["Working", { claim: aClaim() }, "Unknown", "agent-1 works on it."],
  ["Working", {}, "Unknown", "An agent works on it."],
  ["InReview", { submission: submitted("1234567890") }, "Unknown", "Commit 123456789 is in review."],
  ["ChangesRequested", {}, "Unknown", "Changes were asked for."],
  [
    "Approved",
    { submission: submitted("1234567890") },
    "Unknown",
    "Commit 123456789 is approved and waits for the merge queue.",
  ],
  ["Merging", {}, "Unknown", "It is being merged."],
  [
    "Escalated",
    { escalation: "retry-1" },
    "Unknown",
    "A person has to decide: `bosun resolve retry-1 ACTION`.",
  ],
  ["Skipped", {}, "Unknown", "spec.skip keeps it out of the queue."],
  ["Done", { mergeCommit: "1234567890" }, "True", "Merged as 123456789."],
  ["Rejected", {}, "False", "The proposal was rejected."],
  [
    "Abandoned",
    { conditions: [condition("Claimed", "False"), condition("Abandoned", "True", "Too long")] },
    "False",
    "Too long",
  ],
  ["Abandoned", {}, "False", "Given up."],
])("the summary of a Project that is %s, with %j, is %s: %s", (phase, status, is, message) => {
  expect(succeeded(aProject(status), phase)).toEqual({
    type: "Succeeded",
    status: is,
    reason: phase,
    message,
  });
});

test.each<[string, ProjectPhase, ProjectStatus, Partial<ProjectSpec>, string]>([
  ["no agent is free", "Queued", {}, {}, "It waits for an agent."],
  ["it is one agent's", "Queued", {}, { assignedAgent: "agent-2" }, "It waits for agent-2."],
  ["too little is left", "Queued", { conditions: [condition("Affordable", "False", "Dear")] }, {}, "Dear"],
  [
    "nobody may review it",
    "InReview",
    { conditions: [condition("ReviewerAvailable", "False", "Nobody")] },
    {},
    "Nobody",
  ],
  [
    "the merge queue waits",
    "Approved",
    { conditions: [condition("Merged", "Unknown", "No command")] },
    {},
    "No command",
  ],
])("where %s the summary says so", (_, phase, status, spec, want) => {
  expect(succeeded(aProject(status, spec), phase).message).toBe(want);
});
