import { expect, test } from "vitest";
import type { Agent, Project } from "../../../pkg/api/generated.ts";
import type { Condition } from "../../../pkg/api/meta.ts";
import { whyAgent } from "./agent.ts";
import type { World } from "./answer.ts";
import { whyProject } from "./project.ts";

const now = Date.parse("2026-11-23T12:00:00Z");

function condition(
  type: string,
  status: Condition["status"],
  reason: string,
  message = `${reason} it is.`,
): Condition {
  return { type, status, reason, message, lastTransitionTime: "2026-11-23T11:00:00Z" };
}

/** Objects are plain data here: a rule reads a few fields, and a table shows only those. */
function object<T>(kind: string, name: string, spec: object, status?: object): T {
  return { apiVersion: "bosun.dev/v1alpha1", kind, metadata: { name }, spec, status } as T;
}
const agent = (name: string, status?: object, spec: object = {}): Agent =>
  object("Agent", name, { pool: "execution", role: "Execution", paused: false, ...spec }, status);
const project = (status?: object, spec: object = {}): Project =>
  object("Project", "retry", { title: "Retry", skip: false, origin: "Human", ...spec }, status);
const workspace = (spec: object = {}, conditions: Condition[] = []): World["workspace"] =>
  object(
    "Workspace",
    "library",
    { mode: "Running", merge: { mode: "Auto" }, repository: { targetBranch: "main" }, ...spec },
    { conditions },
  );
const pool = (name: string, role: string, spec: object = {}) =>
  object<World["pools"][number]>("AgentPool", name, { role, replicas: 1, paused: false, ...spec });

const quiet: World = {
  workspace: workspace(),
  pools: [pool("execution", "Execution"), pool("review", "Review")],
  agents: [agent("agent-1", { activity: "idle", state: "Idle" })],
  projects: [],
  reviews: [],
  budgets: [object("Budget", "default", { daily: { usd: 5 } })],
  escalations: [],
  categories: [],
  now,
};
const usedUp = object<World["budgets"][number]>(
  "Budget",
  "default",
  { daily: { usd: 5 } },
  {
    conditions: [
      condition(
        "Exceeded",
        "True",
        "LimitReached",
        "$5.00 of $5.00 are spent for 2026-11-23; it opens again at 2026-11-24T00:00:00Z.",
      ),
    ],
  },
);
const reviewer = (status: object) => agent("agent-2", status, { pool: "review", role: "Review" });
const inReview = {
  phase: "InReview",
  review: "retry-1",
  submission: { head: "abc", run: 1, agent: "agent-1" },
};
const stuck = object<World["escalations"][number]>(
  "Escalation",
  "retry-stuck-1",
  { project: "retry", reason: "Stuck", message: "Nothing changed." },
  { state: "Open" },
);

interface Row {
  name: string;
  project: Project;
  world?: Partial<World>;
  wantBecause: string;
  wantRemedy?: string;
}

test.each<Row>([
  {
    name: "done",
    project: project({ phase: "Done", mergeCommit: "0123456789abcdef" }),
    wantBecause: "merged as 0123456789",
  },
  {
    name: "escalated",
    project: project({ phase: "Escalated", escalation: "retry-stuck-1" }),
    world: { escalations: [stuck] },
    wantBecause: "A person has to decide (Stuck). Nothing changed.",
    wantRemedy: "bosun resolve retry-stuck-1 Continue|Reassign|Abandon",
  },
  {
    name: "abandoned",
    project: project({
      phase: "Abandoned",
      branch: "agent-1/project-1",
      conditions: [condition("Abandoned", "True", "TimedOut")],
    }),
    wantBecause: "It was given up. TimedOut it is.",
    wantRemedy: "Its work is on the branch agent-1/project-1.",
  },
  {
    name: "skipped",
    project: project({}, { skip: true }),
    wantBecause: "It is skipped",
    wantRemedy: "bosun skip retry --undo",
  },
  {
    name: "paused workspace",
    project: project(),
    world: { workspace: workspace({ mode: "Paused" }) },
    wantBecause: "The workspace is paused.",
    wantRemedy: "bosun resume",
  },
  {
    name: "no workspace",
    project: project(),
    world: { workspace: undefined },
    wantBecause: "There is no Workspace.",
    wantRemedy: "bosun init",
  },
  {
    name: "no budget",
    project: project(),
    world: { budgets: [] },
    wantBecause: "There is no Budget",
    wantRemedy: "budget.yaml",
  },
  {
    name: "a gateway that does not start, for instance since its ledger is damaged",
    project: project(),
    world: {
      budgets: [
        object(
          "Budget",
          "default",
          { daily: { usd: 5 } },
          { conditions: [condition("Ready", "Unknown", "GatewayUnreachable", "Mend it: budget rebuild.")] },
        ),
      ],
    },
    wantBecause: "No request is paid for. Mend it: budget rebuild.",
    wantRemedy: "by itself",
  },
  {
    name: "paused category",
    project: project({}, { category: "testing" }),
    world: { categories: [object("Category", "testing", { mode: "Paused" })] },
    wantBecause: "Its category testing is paused.",
    wantRemedy: "bosun resume category testing",
  },
  {
    name: "red baseline",
    project: project({ phase: "Queued" }),
    world: { workspace: workspace({}, [condition("Ready", "False", "BaselineFailing", "npm test failed.")]) },
    wantBecause: "No new work begins: BaselineFailing. npm test failed.",
    wantRemedy: "bosun.dev/fixes-baseline",
  },
  {
    name: "red baseline whose output is known",
    project: project({ phase: "Queued" }),
    world: {
      workspace: object(
        "Workspace",
        "library",
        { repository: { targetBranch: "main" } },
        {
          baseline: { commit: "abc", result: "Failed", output: "pytest -q\nsh: pytest: not found\n" },
          conditions: [condition("Ready", "False", "ProgramMissing", "The checks fail (test: Missing).")],
        },
      ),
    },
    wantBecause: "No new work begins: ProgramMissing.",
    wantRemedy:
      "A program or script is missing. Of your home folder the sandbox shows only the folders on PATH: " +
      "start `bosun up` with the folder of the program itself there.\n" +
      "bosun describe workspace library shows what they printed, at the end: sh: pytest: not found\n",
  },
  {
    name: "red baseline of a branch that was rewritten",
    project: project({ phase: "Queued" }),
    world: {
      workspace: workspace({}, [
        condition("Ready", "False", "BaselineFailing", "npm test failed."),
        condition("TargetInSync", "False", "Rewritten", "Branch main was rewritten: start the queue again."),
      ]),
    },
    wantBecause: "No new work begins: BaselineFailing. npm test failed.",
    wantRemedy: "shows what they printed.\nBranch main was rewritten: start the queue again.\nOr label",
  },
  {
    name: "budget used up",
    project: project({ phase: "Queued" }),
    world: { budgets: [usedUp] },
    wantBecause:
      "Budget default is used up. $5.00 of $5.00 are spent for 2026-11-23; it opens again at 2026-11-24T00:00:00Z.",
    wantRemedy: "Raise the limit of default in .claude-sessions/budget.yaml, or wait until then.",
  },
  {
    name: "not affordable",
    project: project({
      phase: "Queued",
      conditions: [condition("Affordable", "False", "TooLittleLeft", "It needs about 2 USD.")],
    }),
    wantBecause: "TooLittleLeft: It needs about 2 USD.",
    wantRemedy: "Raise the Budget's limit",
  },
  {
    name: "assigned to nobody that is",
    project: project({ phase: "Queued" }, { assignedAgent: "agent-7" }),
    wantBecause: "It is assigned to agent-7, which doesn't exist.",
    wantRemedy: "bosun unassign retry",
  },
  {
    name: "assigned to a busy agent",
    project: project({ phase: "Queued" }, { assignedAgent: "agent-1" }),
    world: { agents: [agent("agent-1", { activity: "working", project: "other" })] },
    wantBecause: "It is assigned to agent-1, which has other.",
    wantRemedy: "bosun unassign retry",
  },
  {
    name: "no agents",
    project: project({ phase: "Queued" }),
    world: { agents: [] },
    wantBecause: "There is no execution agent.",
    wantRemedy: "bosun scale execution 2",
  },
  {
    name: "all busy",
    project: project({ phase: "Queued" }),
    world: { agents: [agent("agent-1", { activity: "working", project: "other" })] },
    wantBecause: "Every agent has work: agent-1 has other.",
    wantRemedy: "bosun scale execution 2",
  },
  {
    name: "only a paused agent",
    project: project({ phase: "Queued" }),
    world: { agents: [agent("agent-1", { activity: "paused" }, { paused: true })] },
    wantBecause: "agent-1 is paused.",
    wantRemedy: "bosun resume agent agent-1",
  },
  {
    name: "about to be claimed",
    project: project({ phase: "Queued" }),
    wantBecause: "An agent will claim it in a moment.",
  },
  {
    name: "worked on",
    project: project({ phase: "Working", claim: { agent: "agent-1" } }),
    world: {
      agents: [
        agent("agent-1", {
          activity: "working",
          project: "retry",
          currentTask: "T-2",
          session: { id: "s", lastActivityTime: "2026-11-23T11:59:55Z" },
        }),
      ],
    },
    wantBecause: "agent-1 has it. It is working on retry, at T-2; the model or a tool did something 5s ago.",
  },
  {
    name: "held by an agent whose checkout can't be read",
    project: project({ phase: "Working", claim: { agent: "agent-1" } }),
    world: {
      agents: [
        agent("agent-1", { project: "retry", conditions: [condition("Ready", "False", "CheckoutDamaged")] }),
      ],
    },
    wantBecause: "agent-1 has it. CheckoutDamaged: CheckoutDamaged it is.",
    wantRemedy:
      "bosun skip retry, then bosun skip retry --undo: its checkout is put aside, and the work goes on from what was collected.",
  },
  {
    name: "held by a paused agent",
    project: project({ phase: "Working", claim: { agent: "agent-1" } }),
    world: { agents: [agent("agent-1", { activity: "paused", project: "retry" }, { paused: true })] },
    wantBecause: "agent-1 has it. agent-1 is paused.",
    wantRemedy: "bosun resume agent agent-1",
  },
  {
    name: "being checked",
    project: project({
      ...inReview,
      conditions: [condition("ChecksPassed", "Unknown", "Running", "The checks run.")],
    }),
    wantBecause: "Running: The checks run.",
  },
  {
    name: "nobody to review",
    project: project(inReview),
    wantBecause: "There is no review agent.",
    wantRemedy: "bosun scale review 2",
  },
  {
    name: "reviewer busy",
    project: project(inReview),
    world: { agents: [reviewer({ activity: "reviewing", review: "other-1" })] },
    wantBecause: "Every reviewer has a review: agent-2.",
    wantRemedy: "bosun scale review 2",
  },
  {
    name: "reviewed now",
    project: project(inReview),
    world: {
      agents: [reviewer({ activity: "reviewing", review: "retry-1" })],
      reviews: [object("Review", "retry-1", { project: "retry" }, { claim: { agent: "agent-2" } })],
    },
    wantBecause: "agent-2 reviews it. It is reviewing on retry.",
  },
  {
    name: "waiting for a person to merge",
    project: project({ phase: "Approved", submission: { head: "abcdef" } }),
    world: { workspace: workspace({ merge: { mode: "Manual" } }) },
    wantBecause: "the merge mode is Manual",
    wantRemedy: "Set spec.approvedHead of retry to abcdef.",
  },
  {
    name: "no checks",
    project: project({ phase: "Approved" }),
    world: { workspace: workspace({}, [condition("ChecksConfigured", "False", "NoTestCommand")]) },
    wantBecause: "NoTestCommand: NoTestCommand it is.",
    wantRemedy: "checks: None",
  },
  {
    name: "approved while the target is rewritten",
    project: project({ phase: "Approved" }),
    world: { workspace: workspace({}, [condition("TargetInSync", "False", "Rewritten")]) },
    wantBecause: "Nothing is merged: TargetRewritten. Rewritten it is.",
    wantRemedy: "bosun describe workspace library",
  },
  {
    name: "about to be claimed while the target is rewritten, which keeps no work from being begun",
    project: project({ phase: "Queued" }),
    world: { workspace: workspace({}, [condition("Ready", "False", "TargetRewritten")]) },
    wantBecause: "An agent will claim it in a moment",
  },
  {
    name: "assigned to a reviewer",
    project: project({ phase: "Queued" }, { assignedAgent: "agent-2" }),
    world: { agents: [agent("agent-1"), agent("agent-2", { activity: "idle" }, { role: "Review" })] },
    wantBecause: "It is assigned to agent-2, which reviews and takes no projects.",
    wantRemedy: "bosun unassign retry",
  },
  {
    name: "in the merge queue",
    project: project({ phase: "Approved" }),
    wantBecause: "waits its turn in the merge queue",
  },
])("a project that is $name says so", ({ project: subject, world, wantBecause, wantRemedy }) => {
  const { because, remedies, isMoving } = whyProject(subject, { ...quiet, ...world });
  expect(because).toContain(wantBecause);
  if (wantRemedy !== undefined) expect(remedies.join("\n")).toContain(wantRemedy);
  else expect({ remedies, isMoving }).toEqual({ remedies: [], isMoving: true });
});

test.each<{ name: string; agent: Agent; world?: Partial<World>; wantBecause: string; wantRemedy?: string }>([
  {
    name: "idle without work",
    agent: agent("agent-1", { activity: "idle" }),
    wantBecause: "No project waits",
    wantRemedy: "Declare a project",
  },
  {
    name: "idle beside a skipped project",
    agent: agent("agent-1", { activity: "idle" }),
    world: { projects: [project({ number: 1 }, { skip: true })] },
    wantBecause: "No project waits",
    wantRemedy: "bosun skip retry --undo",
  },
  {
    name: "idle while the category of what waits is paused",
    agent: agent("agent-1", { activity: "idle" }),
    world: {
      projects: [project({ number: 1, phase: "Queued" }, { category: "testing" })],
      categories: [object("Category", "testing", { mode: "Paused" })],
    },
    wantBecause: "are assigned to other agents, or their category is paused",
    wantRemedy: "bosun why retry",
  },
  {
    name: "idle while what waits is assigned to another",
    agent: agent("agent-1", { activity: "idle" }),
    world: { projects: [project({ number: 1, phase: "Queued" }, { assignedAgent: "agent-2" })] },
    wantBecause: "are assigned to other agents",
    wantRemedy: "bosun why retry",
  },
  {
    name: "about to claim",
    agent: agent("agent-1", { activity: "idle" }),
    world: { projects: [project({ number: 1, phase: "Queued" }, { assignedAgent: "agent-1" })] },
    wantBecause: "A project waits",
  },
  {
    name: "of a paused pool",
    agent: agent("agent-1"),
    world: { pools: [pool("execution", "Execution", { paused: true })] },
    wantBecause: "Its pool execution is paused.",
    wantRemedy: "bosun resume pool execution",
  },
  {
    name: "failing",
    agent: agent("agent-1", {
      nextStartTime: "2026-11-23T12:05:00Z",
      conditions: [condition("Ready", "False", "SessionFailed", "The host ended.")],
    }),
    wantBecause: "SessionFailed: The host ended.",
    wantRemedy: "It is tried again at 2026-11-23T12:05:00Z.",
  },
  {
    name: "without money",
    agent: agent("agent-1", { activity: "working" }),
    world: { budgets: [usedUp] },
    wantBecause: "Budget default is used up.",
    wantRemedy: "Raise the limit",
  },
  {
    name: "awaiting its review",
    agent: agent("agent-1", { state: "AwaitingReview", activity: "idle", project: "retry" }),
    wantBecause: "which waits to be reviewed: bosun why retry.",
  },
  {
    name: "a reviewer with nothing to review",
    agent: reviewer({ activity: "idle" }),
    wantBecause: "There is nothing to review.",
  },
])("an agent that is $name says so", ({ agent: subject, world, wantBecause, wantRemedy }) => {
  const { because, remedies } = whyAgent(subject, { ...quiet, ...world });
  expect(because).toContain(wantBecause);
  if (wantRemedy !== undefined) expect(remedies.join("\n")).toContain(wantRemedy);
  else expect(remedies).toEqual([]);
});

test("a budget that doesn't pay for an agent doesn't hold it back", () => {
  const other = { ...usedUp, spec: { ...usedUp.spec, selector: { matchLabels: { team: "red" } } } };
  expect(whyAgent(agent("agent-1"), { ...quiet, budgets: [other] }).because).toContain("No project waits");
});
